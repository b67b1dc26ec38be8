"""Configuration: file < environment < flags; unknown and bad values are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from vivavoce.config import load_config


def test_flags_win_over_the_environment_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "my.toml"
    file.write_text(
        'port = 1111\nhost = "0.0.0.0"\n[limits]\nsessions = 9\nbuffer_ms = 5000\n[turns]\nserver_vad = false\n'
    )
    monkeypatch.setenv("VIVAVOCE_CONFIG", str(file))
    monkeypatch.setenv("VIVAVOCE_PORT", "2222")
    monkeypatch.setenv("VIVAVOCE_LIMITS__SESSIONS", "7")
    config = load_config({"port": 3333, "host": None})
    assert (config.port, config.host) == (3333, "0.0.0.0")
    assert (config.limits.sessions, config.limits.buffer_ms) == (7, 5000)
    assert config.turns.server_vad is False
    assert load_config().port == 2222


def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_LIMITS__SESSIONS", "0")
    with pytest.raises(ValidationError, match=r"limits\.sessions"):
        load_config()


def test_the_fake_profile_needs_no_weights() -> None:
    engines = load_config(profile="fake").engines
    assert {engines.speech_detector, engines.recognizer, *engines.speakers} == {"fake"}
    assert {model.weights for model in engines.language_models.values()} == {None}
