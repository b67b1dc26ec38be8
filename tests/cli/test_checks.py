from __future__ import annotations

import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from vivavoce.cli import app, checks, doctor
from vivavoce.cli.checks import (
    Finding,
    Verdict,
    check_access,
    check_audio,
    check_cpu,
    check_data_folder,
    check_disk,
    check_memory,
    check_npm,
    check_port,
    check_python,
    check_tls,
    check_weights,
)
from vivavoce.cli.keys import any_key
from vivavoce.cli.local_server import Health
from vivavoce.cli.weights import weights_of
from vivavoce.client.live import AudioDeviceError
from vivavoce.config import Config, load_config
from vivavoce.http.tls import self_signed


@pytest.fixture
def empty(tmp_path: Path) -> Config:
    return load_config({"home": tmp_path / "not" / "there", "models": tmp_path})


def test_python_versions() -> None:
    assert check_python((3, 11, 0)).verdict == "ok"
    assert check_python((3, 14, 1)).verdict == "ok"
    assert check_python((3, 10, 9)).verdict == "fail"


@pytest.mark.parametrize(
    ("machine", "flags", "cores", "verdict"),
    [
        ("x86_64", {"avx", "avx2"}, 2, "ok"),
        ("AMD64", {"avx"}, 8, "fail"),
        ("x86_64", set(), 2, "warn"),
        ("arm64", set(), 8, "ok"),
        ("aarch64", set(), 1, "warn"),
    ],
)
def test_processors(machine: str, flags: set[str], cores: int, verdict: str) -> None:
    assert check_cpu(machine, frozenset(flags), cores).verdict == verdict


def test_memory() -> None:
    assert check_memory(5 * 1024**3).verdict == "ok"
    assert check_memory(3 * 1024**3).verdict == "warn"


def test_missing_weights_are_named_with_the_command_that_fetches_them(empty: Config) -> None:
    findings = check_weights(empty)
    assert {finding.name for finding in findings} == {f"weights {name}" for name in weights_of(empty)}
    assert all(finding.verdict == "fail" for finding in findings)
    assert all(finding.advice.startswith("vivavoce models pull ") for finding in findings)


def test_names_that_lead_nowhere_fail_and_weights_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "check_weights", lambda _: pytest.fail("weights of what?"))
    config = load_config({"engines": {"recognizer": "wisper"}})
    failed = [finding for finding in checks.all_findings(config) if finding.name == "configuration"]
    assert [finding.verdict for finding in failed] == ["fail"]
    assert "Did you mean 'whisper'?" in failed[0].detail


def test_fake_engines_need_no_weights() -> None:
    assert weights_of(load_config(profile="fake")) == []


def test_what_clones_is_needed_where_it_is_configured_without_a_folder() -> None:
    assert not {"zipvoice", "pocket-tts"} & set(weights_of(load_config()))
    settings = {"pocket": {"folder": "/models/pocket"}}
    config = load_config({"engines": {"speakers": ["kokoro", "zipvoice", "pocket"], "settings": settings}})
    assert "zipvoice" in weights_of(config)
    assert "pocket-tts" not in weights_of(config)


def test_the_disk_must_hold_what_is_missing(empty: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "GB to pull" in check_disk(empty).detail
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert check_disk(empty).verdict == "fail"
    assert check_disk(load_config(profile="fake")).verdict == "ok"


def test_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_data_folder(load_config({"home": tmp_path / "not" / "there"})).verdict == "ok"
    monkeypatch.setattr("os.access", lambda *_: False)
    assert check_data_folder(load_config({"home": tmp_path})).verdict == "fail"


def test_what_an_earlier_version_left_in_the_cache_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIVAVOCE_HOME")
    monkeypatch.setattr("vivavoce.config.user_cache_path", lambda _: tmp_path / "cache")
    monkeypatch.setattr("vivavoce.config.user_data_path", lambda _: tmp_path / "data")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "vivavoce.db").touch()
    finding = check_data_folder(load_config())
    assert (finding.verdict, str(tmp_path / "cache" / "vivavoce.db") in finding.detail) == ("warn", True)


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = load_config({"port": taken.getsockname()[1]})
        finding = check_port(config)
        assert (finding.verdict, "Something listens there" in finding.detail) == ("warn", True)
    assert check_port(config).verdict == "ok"


@pytest.mark.parametrize(("health", "verdict"), [(Health.READY, "ok"), (Health.LOADING, "ok"), (Health.FAILED, "fail")])
def test_a_server_of_ours_is_known(monkeypatch: pytest.MonkeyPatch, health: Health, verdict: Verdict) -> None:
    async def answered(_: object) -> Health:
        return health

    monkeypatch.setattr(checks, "check_health", answered)
    finding = check_port(load_config())
    assert (finding.verdict, "Vivavoce runs" in finding.detail) == (verdict, True)


@pytest.mark.parametrize(
    ("flags", "verdict"),
    [
        ({}, "ok"),
        ({"host": "0.0.0.0"}, "fail"),
        ({"host": "0.0.0.0", "auth": {"open": True}}, "ok"),
        ({"host": "0.0.0.0", "auth": {"keys": {"me": "0123456789"}}}, "ok"),
        ({"auth": {"keys": {"me": "a-long-random-text"}}}, "warn"),
    ],
)
def test_who_may_come_in(tmp_path: Path, flags: dict[str, Any], verdict: Verdict) -> None:
    config = load_config({"home": tmp_path, **flags})
    assert check_access(config).verdict == verdict
    assert not list(tmp_path.iterdir())
    any_key(config)  # makes the database
    assert check_access(config).verdict == verdict


def test_a_certificate_that_cannot_be_used(tmp_path: Path) -> None:
    assert not check_tls(load_config())
    made = self_signed(tmp_path, "localhost")
    for key, verdict in ((made.key, "ok"), (tmp_path / "absent.pem", "fail")):
        (finding,) = check_tls(load_config({"tls": {"cert": made.cert, "key": key}}))
        assert finding.verdict == verdict


def test_audio_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    microphone = {"max_input_channels": 1, "max_output_channels": 0}
    loudspeaker = {"max_input_channels": 0, "max_output_channels": 2}
    for devices, verdict in (([microphone, loudspeaker], "ok"), ([loudspeaker], "warn"), ([], "warn")):
        monkeypatch.setattr(
            checks, "load_sounddevice", lambda found=devices: SimpleNamespace(query_devices=lambda: found)
        )
        assert check_audio().verdict == verdict

    def absent() -> None:
        raise AudioDeviceError("install it")

    monkeypatch.setattr(checks, "load_sounddevice", absent)
    assert check_audio() == Finding("audio devices", "warn", "not available", "install it")


def test_npm_is_only_a_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert check_npm().verdict == "warn"


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_doctor_exits_with_one_only_on_failures(monkeypatch: pytest.MonkeyPatch, verdict: Verdict, code: int) -> None:
    finding = Finding("audio", verdict, "none", "pip install 'vivavoce[audio]'")
    monkeypatch.setattr(doctor, "all_findings", lambda _config: [finding])
    result = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    assert result.exit_code == code
    assert verdict in result.output
    assert "pip install 'vivavoce[audio]'" in result.output


def test_doctor_looks_at_this_machine() -> None:
    result = CliRunner().invoke(app, ["doctor", "--engines", "fake"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    for what in ("Python", "CPU", "memory", "disk", "audio devices", "port 8080", "npm"):
        assert what in result.output
