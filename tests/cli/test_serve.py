"""``vivavoce serve``: what it refuses to do, and what it says."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from vivavoce.cli import app
from vivavoce.cli import serve as command
from vivavoce.cli.welcome import program, welcome
from vivavoce.config import Config, load_config
from vivavoce.http.tls import TlsFiles, self_signed, tls_files

Started = list[tuple[Config, TlsFiles | None]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    """The configurations the server was started with, instead of starting it."""
    calls: Started = []
    monkeypatch.setenv("VIVAVOCE_HOME", str(tmp_path))

    def run(config: Config, listening: socket.socket, tls: TlsFiles | None) -> bool:
        calls.append((config, tls))
        return True

    monkeypatch.setattr(command, "run_server", run)
    return calls


def serve(*arguments: str, env: Mapping[str, Any] | None = None) -> Result:
    command = ["serve", "--engines", "fake", "--port", "0", *arguments]
    return CliRunner().invoke(app, command, env={"COLUMNS": "300", **(env or {})})


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


ADDRESSES = [ip_address("192.168.1.5"), ip_address("172.17.0.1"), ip_address("2001:db8::5")]


def said_at_the_start(tls: TlsFiles | None = None, *, locked: bool = False, **flags: Any) -> str:
    return welcome(load_config(flags, profile="fake"), 8152, tls, locked=locked)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("localhost", ["localhost"]),
        ("::1", ["[::1]"]),
        ("192.168.1.5", ["192.168.1.5"]),
        ("voice.example.org", ["voice.example.org"]),
        ("0.0.0.0", ["127.0.0.1", "192.168.1.5", "172.17.0.1"]),
        ("::", ["[::1]", "192.168.1.5", "172.17.0.1", "[2001:db8::5]"]),
    ],
)
def test_the_start_shows_the_addresses_that_work(
    monkeypatch: pytest.MonkeyPatch, host: str, addresses: list[str]
) -> None:
    monkeypatch.setattr("vivavoce.cli.welcome.own_addresses", lambda: ADDRESSES)
    shown = re.findall(r"http://(\S+):8152$", said_at_the_start(host=host), re.MULTILINE)
    assert shown == addresses
    here, front = addresses[0], addresses[min(1, len(addresses) - 1)]
    assert f"talk --url ws://{here}:8152\n" in said_at_the_start(host=host)
    assert f"ws://{front}:8152/v1/realtime?model=step-audio-2" in said_at_the_start(host=host)
    assert "0.0.0.0" not in said_at_the_start(host=host)


def test_the_start_shows_how_to_trust_and_that_a_key_is_needed(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "localhost")
    said = said_at_the_start(made, locked=True)
    for words in ("https://127.0.0.1:8152", "wss://127.0.0.1:8152", str(made.cert), made.fingerprint, "VIVAVOCE_KEY"):
        assert words in said
    assert "VIVAVOCE_KEY" not in said_at_the_start()


def test_a_configured_certificate_is_reached_by_its_names(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "voice.example.org")
    files = tls_files(load_config({"tls": {"cert": made.cert, "key": made.key}}, profile="fake"))
    assert files is not None
    said = said_at_the_start(files, host="0.0.0.0")
    assert "wss://voice.example.org:8152/v1/realtime" in said


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1", "Something listens there"),
        ("192.0.2.77", "an address of this machine"),
        ("no.such.host.invalid", "a name of this machine"),
    ],
)
def test_where_it_cannot_listen_it_says_so_before_anything_is_pulled(
    started: Started, monkeypatch: pytest.MonkeyPatch, host: str, said: str
) -> None:
    monkeypatch.setattr(command, "ensure_weights", lambda *_: pytest.fail("weights were looked for"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = serve("--host", host, "--port", str(port), env={"VIVAVOCE_AUTH__KEYS__ME": "a-long-random-text"})
    assert result.exit_code == 1
    assert f"Cannot listen on {host}, port {port}: " in result.output
    assert said in result.output
    assert not started


def test_what_is_accepted_sends_small_frames_at_once() -> None:
    with command.listen("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_command_it_prints_can_be_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In an environment that is not activated the shell does not find ``vivavoce``."""
    installed = tmp_path / ".venv" / "bin" / "vivavoce"
    installed.parent.mkdir(parents=True)
    installed.write_text("")
    installed.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(installed)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert program() == ".venv/bin/vivavoce"
    monkeypatch.setenv("PATH", str(installed.parent))
    assert program() == "vivavoce"
