"""A client that asks for much and reads nothing: the server stays small, and what a conversation took is free afterwards."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect

from running import RunningServer, Talker, running, silence, talking, tone
from vivavoce.cli.local_server import free_port
from vivavoce.config import load_config
from vivavoce.runtime import replay_buffer
from vivavoce.session.session import Session

MIB = 1024 * 1024
ITEM = {"id": "big", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 900_000}]}
RETRIEVE = json.dumps({"type": "conversation.item.retrieve", "item_id": "big"})


@contextmanager
def process(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The port and process of a server with fake engines."""
    port = free_port()
    command = [sys.executable, "-m", "vivavoce", "serve", "--engines", "fake", "--port", str(port)]
    environment = {**os.environ, "VIVAVOCE_HOME": str(folder)}
    with (folder / "log").open("ab") as log:
        started = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                        break
                time.sleep(0.1)
            yield port, psutil.Process(started.pid)
        finally:
            started.kill()
            started.wait()


async def greedy(url: str, questions: int = 200) -> None:
    """Asks for an item again and again, reads none of the answers, and is gone."""
    socket = await connect(url, max_size=None, max_queue=1)
    await socket.recv()
    await socket.send(json.dumps({"type": "conversation.item.create", "item": ITEM}))
    with suppress(TimeoutError):
        async with asyncio.timeout(0.8):
            for _ in range(questions):
                await socket.send(RETRIEVE)
            await asyncio.sleep(0.8)
    socket.transport.abort()


async def test_a_client_that_asks_and_does_not_read_does_not_make_the_server_grow(tmp_path: Path) -> None:
    with process(tmp_path) as (port, server):
        await greedy(f"ws://127.0.0.1:{port}/v1/realtime?model=step-audio-2", 3)  # what is loaded once
        before, most = server.memory_info().rss, 0
        for _ in range(5):
            await greedy(f"ws://127.0.0.1:{port}/v1/realtime?model=step-audio-2")
            most = max(most, server.memory_info().rss)
        assert most - before < 64 * MIB, "while it goes on"
        await asyncio.sleep(0.5)
        assert server.memory_info().rss - before < 32 * MIB, "when it is over"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({}, profile="fake")) as started:
        yield started


@contextmanager
def left_behind(server: RunningServer) -> Iterator[list[str]]:
    """The ids of sessions of this block that are still in memory after it, without the help of a garbage collection."""
    sessions: list[weakref.ref[Session]] = []
    start = server.core.connections.start

    def started(driver, *arguments, **more):  # type: ignore[no-untyped-def]
        sessions.append(weakref.ref(driver._session))
        return start(driver, *arguments, **more)

    left: list[str] = []
    gc.collect()
    gc.disable()
    server.core.connections.start = started  # type: ignore[method-assign]
    try:
        yield left
        assert sessions
        deadline = time.monotonic() + 5
        while any(one() for one in sessions) and time.monotonic() < deadline:
            time.sleep(0.01)
        left += [session.id for one in sessions if (session := one()) is not None]
    finally:
        gc.enable()
        server.core.connections.start = start  # type: ignore[method-assign]


async def converse(talker: Talker) -> None:
    """A bit of everything."""
    await talker.next()
    function = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
    await talker.send(type="session.update", session={"tools": [function]})
    await talker.say("tell me a long story")
    await talker.send(type="response.create")
    await talker.until("response.created")
    for _ in range(5):
        await talker.append(tone(200))
    for _ in range(4):
        await talker.append(silence(300))
    await talker.until("conversation.item.input_audio_transcription.completed")
    await talker.until("response.done")
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    await talker.send(type="response.create", response={"conversation": "none", "input": [item]})
    await talker.until("response.done")
    await talker.send(type="conversation.item.retrieve", item_id="nobody")
    await talker.until("error")
    await talker.send(type="response.create")
    await talker.until("response.created")


@pytest.mark.parametrize("aborted", [False, True])
async def test_a_conversation_that_is_over_is_out_of_memory(server: RunningServer, aborted: bool) -> None:
    with left_behind(server) as left:
        async with talking(server, "model=step-audio-2") as talker:
            await converse(talker)
            if aborted:
                talker.socket.transport.abort()
        assert await asyncio.to_thread(server.all_seats_free)
    assert left == []


@pytest.mark.parametrize("room", [replay_buffer.ROOM_BYTES, 1 << 40])
async def test_so_is_one_whose_client_does_not_read(
    server: RunningServer, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With backpressure, which it does not yield to; and without, when too much waits."""
    monkeypatch.setattr(replay_buffer, "ROOM_BYTES", room)
    monkeypatch.setattr(replay_buffer, "STALLED_S", 0.2)
    with left_behind(server) as left:
        socket = await connect(f"{server.ws}/v1/realtime?model=step-audio-2", max_size=None, max_queue=1)
        await socket.recv()
        await socket.send(json.dumps({"type": "conversation.item.create", "item": ITEM}))
        for _ in range(100):
            await socket.send(RETRIEVE)
        assert await asyncio.to_thread(server.all_seats_free), "it has been cut off"
        socket.transport.abort()
    assert left == []
