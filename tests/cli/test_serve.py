"""``vivavoce serve``: what it refuses to do, and what it says."""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from vivavoce.cli import app
from vivavoce.cli import serve as command
from vivavoce.config import Config, load_config
from vivavoce.http.tls import TlsFiles, self_signed

Started = list[tuple[Config, TlsFiles | None]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    """The configurations the server was started with, instead of starting it."""
    calls: Started = []
    monkeypatch.setenv("VIVAVOCE_HOME", str(tmp_path))

    def run(config: Config, tls: TlsFiles | None, console: Console) -> bool:
        calls.append((config, tls))
        return True

    monkeypatch.setattr(command, "run_server", run)
    return calls


def serve(*arguments: str, env: Mapping[str, Any] | None = None) -> Result:
    return CliRunner().invoke(app, ["serve", "--engines", "fake", *arguments], env={"COLUMNS": "300", **(env or {})})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "voice.example.org"])
def test_it_refuses_to_be_open_to_other_machines(started: Started, host: str) -> None:
    result = serve("--host", host)
    assert result.exit_code == 2
    assert not started
    for words in (host, "VIVAVOCE_AUTH__KEYS__ME", "[auth.keys]", "--insecure-open"):
        assert words in result.output


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_it_is_open_on_this_machine(started: Started, host: str) -> None:
    assert serve("--host", host).exit_code == 0
    assert started[0][0].auth.open is False


def test_a_key_or_the_flag_lets_it_listen_everywhere(started: Started) -> None:
    assert serve("--host", "0.0.0.0", env={"VIVAVOCE_AUTH__KEYS__ME": "a-long-random-text"}).exit_code == 0
    assert serve("--host", "0.0.0.0", "--insecure-open").exit_code == 0
    assert [(bool(config.auth.keys), config.auth.open) for config, _ in started] == [(True, False), (False, True)]


def test_keys_and_the_flag_contradict_each_other(started: Started) -> None:
    result = serve("--insecure-open", env={"VIVAVOCE_AUTH__KEYS__ME": "a-long-random-text"})
    assert result.exit_code == 2
    assert "contradicts" in result.output
    assert "random-text" not in result.output


def test_it_refuses_a_configuration_that_cannot_work(started: Started, tmp_path: Path) -> None:
    file = tmp_path / "vivavoce.toml"
    file.write_text('[engines]\nrecognizer = "wisper"\n[limits]\nsesions = 2\n')
    arguments = ["serve", "--config", str(file)]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert result.exit_code == 2
    assert "there is no setting 'limits.sesions'; did you mean 'limits.sessions'?" in result.output
    file.write_text('[engines]\nrecognizer = "wisper"\n')
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert result.exit_code == 2
    assert "there is no engine 'wisper' among the installed recognizers. Did you mean 'whisper'?" in result.output
    assert "Traceback" not in result.output
    assert not started


def test_tls_flags(started: Started, tmp_path: Path) -> None:
    assert serve("--tls-self-signed").exit_code == 0
    made = started[0][1]
    assert made is not None
    assert made.cert.parent == tmp_path / "tls"
    assert serve("--tls-cert", str(made.cert), "--tls-key", str(made.key)).exit_code == 0
    assert started[1][1] == made
    assert serve().exit_code == 0
    assert started[2][1] is None


def test_tls_flags_that_do_not_fit_are_said(started: Started, tmp_path: Path) -> None:
    assert "belong together" in serve("--tls-cert", "a.pem").output
    result = serve("--tls-cert", str(tmp_path / "a.pem"), "--tls-key", str(tmp_path / "b.pem"))
    assert result.exit_code == 1
    assert "There is no" in result.output
    assert not started


def test_the_welcome_shows_how_to_reach_and_to_trust_it(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "localhost")
    for tls, schemes in ((made, ("https://", "wss://")), (None, ("http://", "ws://"))):
        said = io.StringIO()
        Console(file=said, width=300).print(command._welcome("::1", 8443, tls))
        assert all(f"{scheme}[::1]:8443" in said.getvalue() for scheme in schemes)
    assert made.fingerprint in command._trust(made)
    assert str(made.cert) in command._trust(made)


def test_what_is_accepted_sends_small_frames_at_once() -> None:
    config = load_config({"port": 0}, profile="fake")
    with command.listen(command.make_server(config, None).config) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
