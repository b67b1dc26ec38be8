"""How a server goes down: a real child process, real signals, fake engines."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from running import Talker
from vivavoce.cli.local_server import Health, check_health, free_port
from vivavoce.cli.serve import make_server
from vivavoce.client.address import ServerAddress
from vivavoce.config import load_config

TEXT = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
SPOKEN_MS = len(f"You said: {TEXT}") * 50


@dataclass(frozen=True, slots=True)
class Child:
    """A server in a process of its own."""

    process: asyncio.subprocess.Process
    port: int
    log: Path

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def ends_within(self, seconds: float) -> int:
        """Its exit code; minus the signal's number, as Python says it."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    @asynccontextmanager
    async def talking(self, query: str = "model=step-audio-2") -> AsyncIterator[Talker]:
        async with connect(f"ws://127.0.0.1:{self.port}/v1/realtime?{query}", close_timeout=0.2) as socket:
            talker = Talker(socket)
            assert (await talker.next())["type"] == "session.created"
            yield talker


@asynccontextmanager
async def served(folder: Path, *, drain_s: float = 60.0) -> AsyncIterator[Child]:
    port, log = free_port(), folder / "log"
    environment = {**os.environ, "VIVAVOCE_LIMITS__DRAIN_S": str(drain_s), "VIVAVOCE_HOME": str(folder)}
    command = [sys.executable, "-m", "vivavoce", "serve", "--engines", "fake", "--port", str(port)]
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out, env=environment)
        try:
            async with asyncio.timeout(60):
                while await check_health(ServerAddress(f"ws://127.0.0.1:{port}")) is not Health.READY:
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
            yield Child(process, port, log)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def start_reply(talker: Talker) -> bytes:
    """Ask for a reply of several seconds; returns its first audio."""
    await talker.say(TEXT)
    await talker.send(type="response.create")
    return base64.b64decode((await talker.until("response.audio.delta"))[-1]["delta"])


async def close_code(talker: Talker) -> int | None:
    while True:
        try:
            await talker.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_reply_in_progress_comes_to_its_end(tmp_path: Path, number: signal.Signals) -> None:
    async with served(tmp_path) as child, child.talking() as talker, child.talking() as idle:
        first = await start_reply(talker)
        child.signal(number)
        assert await asyncio.wait_for(close_code(idle), 3.0) == 1001
        with pytest.raises(InvalidStatus) as refused:
            async with child.talking():
                pass
        assert refused.value.response.status_code == 503
        events = await talker.until("response.done")
        assert events[-1]["response"]["status"] == "completed"
        deltas = (event["delta"] for event in events if event["type"] == "response.audio.delta")
        audio = first + b"".join(base64.b64decode(delta) for delta in deltas)
        assert len(audio) == SPOKEN_MS * 48
        assert await asyncio.wait_for(close_code(talker), 5.0) == 1001
        assert await child.ends_within(10.0) in (0, -number)
        assert "Traceback" not in child.log.read_text()


async def test_a_reply_that_takes_too_long_is_cut_off(tmp_path: Path) -> None:
    async with served(tmp_path, drain_s=0.3) as child, child.talking() as talker:
        await start_reply(talker)
        child.signal(signal.SIGTERM)
        told = time.monotonic()
        response = (await talker.until("response.done"))[-1]["response"]
        assert (response["status"], response["status_details"]["error"]["code"]) == ("incomplete", "server_stopping")
        assert await close_code(talker) == 1001
        assert 0.2 < time.monotonic() - told < 3.0
        await child.ends_within(3.0)
        assert "still in progress after 0.3 s" in child.log.read_text()


async def test_nobody_waits_for_a_client_that_is_gone(tmp_path: Path) -> None:
    async with served(tmp_path) as child:
        async with child.talking("model=step-audio-2&resumable=1") as talker:
            await start_reply(talker)
            talker.socket.transport.abort()
        async with child.talking("model=step-audio-2&resumable=1") as talker:
            await start_reply(talker)
            child.signal(signal.SIGTERM)
            await talker.until("response.audio.delta")
            talker.socket.transport.abort()
            await child.ends_within(2.0)


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with served(tmp_path) as child, child.talking() as talker:
        await start_reply(talker)
        child.signal(signal.SIGTERM)
        await asyncio.sleep(0.3)  # two of the same kind at the same time are one
        child.signal(signal.SIGTERM)
        assert await child.ends_within(0.5) == -signal.SIGTERM


async def test_a_server_nobody_talks_to_ends_soon(tmp_path: Path) -> None:
    async with served(tmp_path) as child:
        child.signal(signal.SIGTERM)
        await child.ends_within(10.0)


class _Connection:
    """As much of uvicorn's websocket connection as its ``shutdown`` reads."""

    def __init__(self) -> None:
        self.conn = ServerProtocol(state=State.OPEN)
        self.close_sent = False
        self.ended = False

    def shutdown(self) -> None:
        if not self.close_sent:
            self.conn.send_close(1012)
        self.ended = True


async def test_a_client_that_is_just_closing_does_not_keep_others_open() -> None:
    server = make_server(load_config({"port": 0}, profile="fake"), None, on_failure=lambda: None)
    closing, open_one = _Connection(), _Connection()
    closing.conn.receive_data(Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True))
    assert closing.conn.state is State.CLOSING
    connections: Any = [closing, open_one]
    server.server_state.connections = connections
    server.servers, server.force_exit = [], True
    await server.shutdown()
    assert closing.ended
    assert open_one.ended
