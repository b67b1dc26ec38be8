"""``turn_detection.interruption``, which no platform has: read in every dialect, patched, and shown only where it is set."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.test_patching import DEFAULTS, detecting, updated
from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.session_config import Interruption, SessionConfig, TurnDetection


def shown(config: SessionConfig, dialect: DialectName) -> dict[str, Any]:
    session = DIALECTS[dialect].to_client(ev.SessionUpdated(session_id="s", session=config))[0]["session"]
    vad = session["audio"]["input"]["turn_detection"] if dialect == "openai" else session["turn_detection"]
    assert isinstance(vad, dict)
    return vad


def interruption(config: SessionConfig) -> Interruption | None:
    assert config.turn_detection is not None
    return config.turn_detection.interruption


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_is_read_and_shown_as_it_was_set(dialect: DialectName) -> None:
    objects: list[dict[str, Any]] = [
        {"ignore_words": {"en": ["yeah", "go on"], "*": ["mhm"]}, "min_words": 2, "min_speech_ms": 300},
        {"ignore_words": []},
        {"min_words": 2},
        {},
    ]
    for given in objects:
        config = updated(detecting(DEFAULTS), "turn_detection", {"interruption": given}, dialect)
        assert json.loads(json.dumps(shown(config, dialect)))["interruption"] == given


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_is_not_shown_to_who_has_not_set_it(dialect: DialectName) -> None:
    config = updated(detecting(TurnDetection()), "turn_detection", {"interruption": None, "threshold": 0.4}, dialect)
    assert "interruption" not in shown(config, dialect)


def test_it_is_a_patch_language_by_language() -> None:
    config = detecting(DEFAULTS)
    updates: list[dict[str, Any]] = [
        {"ignore_words": {"en": ["yeah"], "zh": ["对"]}, "min_words": 2},
        {"ignore_words": {"en": ["right"]}, "min_speech_ms": 300, "min_words": None},
    ]
    for given in updates:
        config = updated(config, "turn_detection", {"interruption": given})
    assert interruption(config) == Interruption(
        ignore_words={"en": ("right",), "zh": ("对",)}, min_words=2, min_speech_ms=300
    )
    config = updated(config, "turn_detection", {"interruption": {"ignore_words": ["stop"]}})
    assert interruption(config) == Interruption(ignore_words=("stop",), min_words=2, min_speech_ms=300)
    config = updated(config, "turn_detection", {"interruption": {"ignore_words": {"en": []}}})
    assert interruption(config) == Interruption(ignore_words={"en": ()}, min_words=2, min_speech_ms=300)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ("never", "interruption"),
        ({"min_words": -1}, "interruption.min_words"),
        ({"min_words": "two"}, "interruption.min_words"),
        ({"min_speech_ms": 60_001}, "interruption.min_speech_ms"),
        ({"ignore_words": "yeah"}, "interruption.ignore_words"),
        ({"ignore_words": {"English": ["yeah"]}}, "interruption.ignore_words"),
        ({"ignore_words": ["x" * 101]}, "interruption.ignore_words[0]"),
    ],
)
def test_a_refusal_names_the_field(given: Any, param: str) -> None:
    with pytest.raises(ClientError) as refused:
        updated(detecting(DEFAULTS), "turn_detection", {"interruption": given})
    assert refused.value.param == f"session.turn_detection.{param}"
