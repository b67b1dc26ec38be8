"""``session.update`` is a patch at every depth: what an object leaves out stays as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.protocol.client_events import SessionUpdate
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, decode_object
from vivavoce.protocol.session_config import SessionConfig, Transcription, TurnDetection, patched

DEFAULTS = TurnDetection(threshold=0.4, prefix_padding_ms=450, silence_duration_ms=350)
TUNED = TurnDetection(
    type="semantic_vad", create_response=False, interrupt_response=False, eagerness="low", idle_timeout_ms=9000
)


def updated(config: SessionConfig, name: str, value: Any, dialect: DialectName = "openai_beta") -> SessionConfig:
    """``config`` after a ``session.update`` of one object, in a dialect's words."""
    session = {name: value} if dialect != "openai" else {"type": "realtime", "audio": {"input": {name: value}}}
    update = decode_object({"type": "session.update", "session": session}, DIALECTS[dialect])
    assert isinstance(update, SessionUpdate)
    return patched(config, update.session, DEFAULTS)


def detecting(vad: TurnDetection | None) -> SessionConfig:
    return SessionConfig(model="m", voice="v", turn_detection=vad)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_tunable_leaves_the_others(dialect: DialectName) -> None:
    config = updated(detecting(TUNED), "turn_detection", {"threshold": 0.7}, dialect)
    assert config.turn_detection == TurnDetection(
        type="semantic_vad",
        threshold=0.7,
        create_response=False,
        interrupt_response=False,
        eagerness="low",
        idle_timeout_ms=9000,
    )


def test_the_same_type_again_changes_nothing() -> None:
    assert updated(detecting(TUNED), "turn_detection", {"type": "semantic_vad"}).turn_detection == TUNED


def test_another_type_keeps_what_both_have_and_takes_the_rest_from_the_defaults() -> None:
    config = updated(detecting(TUNED), "turn_detection", {"type": "server_vad", "silence_duration_ms": 500})
    assert config.turn_detection == TurnDetection(
        threshold=0.4,
        prefix_padding_ms=450,
        silence_duration_ms=500,
        create_response=False,
        interrupt_response=False,
        idle_timeout_ms=9000,
    )


@pytest.mark.parametrize("off", [None, {"type": "none"}])
def test_off_and_on_again_begins_with_the_servers_defaults(off: Any) -> None:
    config = updated(detecting(TUNED), "turn_detection", off)
    assert config.turn_detection is None
    assert updated(config, "turn_detection", {}).turn_detection == DEFAULTS


def test_null_leaves_a_tunable_alone_but_switches_the_idle_timeout_off() -> None:
    nulls = {"type": None, "threshold": None, "create_response": None, "eagerness": None}
    assert updated(detecting(TUNED), "turn_detection", nulls).turn_detection == TUNED
    config = updated(detecting(TUNED), "turn_detection", {"idle_timeout_ms": None})
    assert config.turn_detection is not None
    assert config.turn_detection.idle_timeout_ms is None


def test_stepfuns_threshold_is_patched_likewise() -> None:
    config = updated(detecting(TUNED), "turn_detection", {"energy_awakeness_threshold": 3500}, "stepfun")
    assert config.turn_detection is not None
    assert (config.turn_detection.threshold, config.turn_detection.create_response) == (0.7, False)


@pytest.mark.parametrize(
    ("dialect", "name"), [("openai_beta", "input_audio_transcription"), ("openai", "transcription")]
)
def test_a_language_leaves_the_models_name_and_the_prompt(dialect: DialectName, name: str) -> None:
    config = SessionConfig(model="m", voice="v", transcription=Transcription(model="whisper-1", prompt="Vivavoce"))
    config = updated(config, name, {"language": "zh"}, dialect)
    assert config.transcription == Transcription(model="whisper-1", language="zh", prompt="Vivavoce")
    config = updated(config, name, {"prompt": None}, dialect)
    assert config.transcription == Transcription(model="whisper-1", language="zh")
    assert updated(config, name, None, dialect).transcription is None


TUNABLES: dict[str, st.SearchStrategy[Any]] = {
    "threshold": st.sampled_from([0.1, 0.9]),
    "prefix_padding_ms": st.integers(0, 1000),
    "silence_duration_ms": st.integers(0, 1000),
    "create_response": st.booleans(),
    "interrupt_response": st.booleans(),
    "eagerness": st.sampled_from(["low", "high"]),
    "idle_timeout_ms": st.none() | st.integers(1000, 5000),
}


@given(patches=st.lists(st.fixed_dictionaries({}, optional=TUNABLES), max_size=4))
def test_updates_one_by_one_are_as_good_as_all_at_once(patches: list[dict[str, Any]]) -> None:
    config, together = detecting(TUNED), {}
    for patch in patches:
        config = updated(config, "turn_detection", patch)
        together.update(patch)
    assert config == updated(detecting(TUNED), "turn_detection", together)
