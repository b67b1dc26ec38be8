"""Finding the server that runs, and a server of one's own that leaves nothing behind."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from typer.testing import CliRunner

from running import RunningServer, running
from vivavoce.cli import app
from vivavoce.cli.local_server import (
    Health,
    ServerStartError,
    check_health,
    child_server,
    configured_address,
    free_port,
    running_server,
    server_at,
)
from vivavoce.cli.options import EngineSet
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import connect
from vivavoce.client.errors import ConnectError
from vivavoce.client.recording import read_audio
from vivavoce.client.speech import pieces_of, speech
from vivavoce.config import load_config
from vivavoce.http.tls import self_signed
from vivavoce.runtime.engines import EngineLoader

KEY = "a-long-random-text"
HEALTH = '{"name": "vivavoce", "status": "%s"}'


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO())


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """A server that says this of its health."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 500)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "health"),
    [
        (200, HEALTH % "ok", Health.READY),
        (503, HEALTH % "loading", Health.LOADING),
        (503, HEALTH % "failed", Health.FAILED),
        (200, "healthy", Health.ABSENT),
        (200, '{"status": "ok"}', Health.ABSENT),
        (404, "", Health.ABSENT),
    ],
)
async def test_health_is_ready_loading_failed_or_somebody_else(status: int, body: str, health: Health) -> None:
    with answering(status, body) as url:
        assert await check_health(ServerAddress(url)) is health


async def test_nobody_listening_is_absent() -> None:
    assert await check_health(ServerAddress(f"ws://127.0.0.1:{free_port()}")) is Health.ABSENT


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "ws://127.0.0.1:8152"),
        ("0.0.0.0", "ws://127.0.0.1:8152"),
        ("::", "ws://[::1]:8152"),
        ("voice.example.org", "ws://voice.example.org:8152"),
    ],
)
def test_the_configuration_says_where_the_server_is(host: str, url: str) -> None:
    server = configured_address(load_config({"host": host, "port": 8152}))
    assert (server.url, server.api_key, server.tls) == (url, None, None)


def test_the_configuration_says_which_key_opens_it_unless_one_is_given() -> None:
    config = load_config({"auth": {"keys": {"me": KEY, "you": "another-long-text"}}})
    assert configured_address(config).api_key == KEY
    assert configured_address(config, "mine").api_key == "mine"


async def test_a_given_url_is_taken_as_it_is_and_learns_no_configured_key(console: Console) -> None:
    config = load_config({"auth": {"keys": {"me": KEY}}})
    for key in (None, "mine"):
        server = await running_server("ws://elsewhere", config, console, engines=EngineSet.LOCAL, api_key=key)
        assert server == ServerAddress("ws://elsewhere", key)


async def test_a_server_that_failed_to_load_is_not_waited_for(console: Console) -> None:
    with answering(503, HEALTH % "failed") as url:
        config = load_config({"port": int(url.rpartition(":")[2])})
        with pytest.raises(ServerStartError, match="could not load its engines"):
            await running_server(None, config, console, engines=EngineSet.LOCAL, api_key=None)


# ---- the one that runs


@pytest.fixture(scope="module", params=["open", "key", "self signed", "certificate"])
def configured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The configuration file of a server that runs."""
    folder, port = tmp_path_factory.mktemp("configured"), free_port()
    text = [f"port = {port}", f'home = "{folder}"']
    if request.param != "open":
        text += ["[auth.keys]", f'me = "{KEY}"']
    if request.param == "self signed":
        text += ["[tls]", "self_signed = true"]
    if request.param == "certificate":
        made = self_signed(folder / "own", "voice.example.org")
        text += ["[tls]", f'cert = "{made.cert}"', f'key = "{made.key}"']
    file = folder / "vivavoce.toml"
    file.write_text("\n".join(text))
    with running(load_config(profile="fake", file=file), as_configured=True):
        yield file


async def test_the_server_that_runs_is_found_by_its_configuration(configured: Path, console: Console) -> None:
    async with server_at(None, console, engines=EngineSet.LOCAL, config_file=configured) as server:
        assert f":{load_config(file=configured).port}" in server.url
        async with connect(server.url, api_key=server.api_key, tls=server.tls) as client:
            assert await client.update_session({})
        assert len(await speech(server, "Good morning.", voice="alloy"))


def test_talk_and_say_use_it_and_load_no_engines(
    configured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EngineLoader, "load", lambda *_: pytest.fail("engines were loaded"))
    monkeypatch.setattr(asyncio, "create_subprocess_exec", lambda *_, **__: pytest.fail("a server was started"))
    for name, arguments in (("talk", ["--text", "Good morning."]), ("say", ["Good morning.", "--speed", "0.5"])):
        out = tmp_path / f"{name}.wav"
        result = CliRunner().invoke(app, [name, *arguments, "--config", str(configured), "--out", str(out)])
        assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
        assert len(read_audio(out))


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"me": KEY}}}, profile="fake")) as started:
        yield started


@pytest.mark.parametrize("command", [["talk", "--text", "Hello."], ["say", "Hello."]])
def test_a_key_from_the_environment_opens_it_and_a_missing_one_is_explained(
    locked: RunningServer, tmp_path: Path, command: list[str]
) -> None:
    arguments = [*command, "--url", locked.ws, "--out", str(tmp_path / "out.wav")]
    assert CliRunner().invoke(app, arguments, env={"VIVAVOCE_KEY": KEY}).exit_code == 0
    refused = CliRunner().invoke(app, arguments, env={"VIVAVOCE_KEY": None})
    assert refused.exit_code == 1
    assert "VIVAVOCE_KEY" in refused.output
    assert "Incorrect API key" in refused.output


async def test_a_long_text_is_said_in_pieces(locked: RunningServer) -> None:
    text = "How are you today? " * 300
    assert [len(piece) <= 4096 for piece in pieces_of(text)] == [True, True]
    assert "".join(pieces_of(text)).split() == text.split()
    assert all(len(piece) <= 10 for piece in pieces_of("x" * 35 + " 你好。" * 9, 10))
    server = ServerAddress(locked.ws, KEY)
    one = len(await speech(server, "How are you today?", voice="alloy"))
    assert len(await speech(server, "How are you today? " * 230, voice="alloy")) >= 200 * one
    with pytest.raises(ConnectError, match="nobody"):
        await speech(server, "Hello.", voice="nobody")


# ---- one of our own


async def test_a_child_server_talks_to_us_alone_and_is_gone_afterwards(console: Console) -> None:
    async with child_server(console, engines=EngineSet.FAKE, config_file=None) as server:
        async with connect(server.url, api_key=server.api_key) as client:
            assert await client.update_session({})
        with pytest.raises(ConnectError, match="401"):
            async with connect(server.url):
                pass
    assert await check_health(server) is Health.ABSENT


async def test_a_child_that_ends_at_once_leaves_its_last_words(
    console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho the models are broken >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(ServerStartError, match=r"(?s)exit code 3.*the models are broken"):
        async with child_server(console, engines=EngineSet.FAKE, config_file=None):
            pass


TALKS = """
import asyncio
from rich.console import Console
from vivavoce.cli.local_server import child_server
from vivavoce.cli.options import EngineSet

async def main():
    async with child_server(Console(), engines=EngineSet.FAKE, config_file=None):
        print("ready", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_running_however_a_command_ends(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TALKS], stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as talks:
        assert talks.stdout is not None
        while talks.stdout.readline() != "ready\n":
            assert talks.poll() is None
        (child,) = psutil.Process(talks.pid).children()
        assert "serve" in child.cmdline()
        talks.send_signal(how)
        gone, _ = psutil.wait_procs([child], timeout=20)
        assert gone, "the server still runs"
