"""Configuration: file < environment < flags; unknown and bad values are named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_cache_path, user_data_path
from pydantic import ValidationError

from vivavoce.config import load_config, mistakes
from vivavoce.config.engines import LanguageModelConfig


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


# ---- what is misspelt


def refused(file: Path | None = None, **flags: Any) -> str:
    with pytest.raises(ValidationError) as error:
        load_config(flags, file=file)
    return "\n".join(mistakes(error.value, file))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("prot = 8152", "'prot'; did you mean 'port'?"),
        ("[limit]\nsessions = 4", "'limit'; did you mean 'limits'?"),
        ("[limits]\nsesions = 4", "'limits.sesions'; did you mean 'limits.sessions'?"),
        ("sessions = 4", "'sessions'; did you mean 'limits.sessions'?"),
        ("[auth]\nkey = 'a-long-random-text'", "'auth.key'; did you mean 'auth.keys'?"),
        ("[storage.s3]\nendpont = ''", "'storage.s3.endpont'; did you mean 'storage.s3.endpoint'?"),
        (
            "[engines.language_models.large]\nwieghts = ''",
            "'engines.language_models.large.wieghts'; did you mean 'engines.language_models.large.weights'?",
        ),
        ("[mcp.servers.house]\nurll = ''", "'mcp.servers.house.urll'; did you mean 'mcp.servers.house.url'?"),
        ("[voices]\nzzz = 1", "'voices.zzz'; there are voices.most, voices.require_consent"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_name(tmp_path: Path, text: str, meant: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text(text)
    said = refused(file)
    assert f"{file}: there is no setting {meant}" in said


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("VIVAVOCE_PROT", "VIVAVOCE_PORT"),
        ("VIVAVOCE_LIMIT__SESSIONS", "VIVAVOCE_LIMITS__SESSIONS"),
        ("VIVAVOCE_LIMITS_SESSIONS", "VIVAVOCE_LIMITS__SESSIONS"),
        ("VIVAVOCE_LIMITS__SESION", "limits.sessions"),
        ("VIVAVOCE_AUTH__KEY__ME", "auth.keys"),
        ("vivavoce_log_lvel", "VIVAVOCE_LOG_LEVEL"),
        ("VIVAVOCE_ZZZ", "there are host, port, home"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "3")
    said = refused()
    assert variable in said
    assert meant in said


def test_every_mistake_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "my.toml"
    file.write_text("prot = 1\n[limits]\nsessions = 0\n")
    monkeypatch.setenv("VIVAVOCE_TURNS__THRESHOLD", "7")
    said = refused(file).splitlines()
    assert sorted(line.split(": ")[0] for line in said) == sorted(["VIVAVOCE_TURNS__THRESHOLD", str(file), str(file)])


@pytest.mark.parametrize(
    "variable",
    [
        "VIVAVOCE_KEY",
        "VIVAVOCE_SERVICE_HOST",
        "VIVAVOCE_SERVICE_PORT_HTTP",
        "VIVAVOCE_PORT_8080_TCP_ADDR",
    ],
)
def test_other_variables_of_ours_and_of_kubernetes_are_no_settings(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "10.0.0.1")
    load_config()


def test_a_service_link_in_the_place_of_the_port_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_PORT", "tcp://10.0.0.1:8080")
    assert "enableServiceLinks" in refused()


def test_values_stay_out_of_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_AUTH__KEYS__ME", "my secret")
    said = refused()
    assert "VIVAVOCE_AUTH__KEYS" in said
    assert "my secret" not in said


def test_a_list_in_the_environment_has_to_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_TOOLS__BUILTIN", "clock")
    with pytest.raises(ValueError, match=r"JSON.*VIVAVOCE_TOOLS__BUILTIN"):
        load_config()


def test_a_file_that_was_named_has_to_be_there_and_to_be_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(FileNotFoundError, match=r"absent\.toml \(VIVAVOCE_CONFIG\)"):
        load_config()
    file = tmp_path / "my.toml"
    file.write_text("port = = 3")
    with pytest.raises(ValueError, match=r"my\.toml is not TOML.*line 1"):
        load_config(file=file)


def test_an_empty_variable_leaves_a_folder_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_HOME", "")
    monkeypatch.setenv("VIVAVOCE_MODELS", "")
    assert (load_config().home, load_config().models) == (None, None)


def test_weights_are_cached_and_everything_else_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVAVOCE_HOME")
    config = load_config()
    assert config.weights_folder == user_cache_path("vivavoce") / "models"
    assert config.data_folder == user_data_path("vivavoce")
    config = load_config({"home": tmp_path})
    assert (config.weights_folder, config.data_folder) == (tmp_path / "models", tmp_path)


# ---- what is merged with the defaults


def language_models(tmp_path: Path, text: str) -> Mapping[str, LanguageModelConfig]:
    file = tmp_path / "my.toml"
    file.write_text(text)
    return load_config(file=file).engines.language_models


def test_a_language_model_is_merged_with_the_default_of_its_name(tmp_path: Path) -> None:
    default = load_config().engines.language_models
    assert set(default) == {"large", "small"}
    models = language_models(tmp_path, '[engines.language_models.large]\nengine = "llama"\n')
    assert models == default
    models = language_models(tmp_path, "[engines.language_models.small.settings]\ntalk = 0.25\n")
    assert models["small"].settings == {"reminders": "always", "talk": 0.25}
    assert models["small"].weights == default["small"].weights


def test_other_weights_or_another_engine_take_no_settings_over(tmp_path: Path) -> None:
    models = language_models(
        tmp_path,
        '[engines.language_models.small]\nweights = "qwen2.5-coder-1.5b"\n'
        '[engines.language_models.large]\nengine = "mine"\n',
    )
    assert models["small"] == LanguageModelConfig(weights="qwen2.5-coder-1.5b")
    assert models["large"] == LanguageModelConfig(engine="mine")


def test_variables_are_merged_as_files_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_ENGINES__LANGUAGE_MODELS__SMALL__SETTINGS__TALK", "0.25")
    assert set(load_config().engines.language_models) == {"large", "small"}
