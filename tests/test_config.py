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


def test_keys_are_read_from_file_and_environment_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[auth.keys]\nalice = "alice-secret-1"\n')
    monkeypatch.setenv("VIVAVOCE_AUTH__KEYS__ME", "0123456789")
    config = load_config(file=file)
    keys = {owner: key.get_secret_value() for owner, key in config.auth.keys.items()}
    assert keys == {"alice": "alice-secret-1", "me": "0123456789"}
    assert "secret-1" not in f"{config!r} {config} {config.model_dump()} {config.model_dump_json()}"


@pytest.mark.parametrize(
    ("auth", "complaint"),
    [
        ({"keys": {"a": "short"}}, "8 or more"),
        ({"keys": {"a": "with a space"}}, "without spaces"),
        ({"keys": {"a": "schlüssel-lang"}}, "ASCII"),
        ({"keys": {"a": "ek_looks-ephemeral"}}, "must not begin"),
        ({"keys": {"a": "the-same-key", "b": "the-same-key"}}, "two owners"),
        ({"keys": {"a": "long-enough-1"}, "open": True}, "contradicts"),
    ],
)
def test_a_bad_key_is_named_by_its_owner_and_not_shown(auth: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint) as refused:
        load_config({"auth": auth})
    for secret in ("with a space", "schlüssel", "ephemeral", "same-key", "long-enough"):
        assert secret not in str(refused.value)


@pytest.mark.parametrize("tls", [{"cert": "a.pem"}, {"key": "a.pem"}, {"cert": "a", "key": "b", "self_signed": True}])
def test_half_a_certificate_is_refused(tls: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="tls"):
        load_config({"tls": tls})
