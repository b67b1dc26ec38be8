"""Two owners, one greedy: places for conversations and requests. And nobody closes a server by saying nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from running import RunningServer, Talker, running, talking
from vivavoce.config import load_config
from voicing import file_of, hum

KEYS = {"greedy": "key-of-the-greedy", "other": "key-of-the-other"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": KEYS}}, profile="fake")) as started:
        yield started


@pytest.fixture(scope="module")
def silent() -> Iterator[RunningServer]:
    """One that has no patience with silence."""
    limits = {"sessions": 2, "idle_s": 1.0, "idle_yields_s": 0.1}
    with running(load_config({"limits": limits}, profile="fake")) as started:
        yield started


def query(name: str) -> str:
    return f"model=step-audio-2&api_key={KEYS[name]}"


async def refused(server: RunningServer, name: str) -> str:
    with pytest.raises(InvalidStatus) as refusal:
        async with talking(server, query(name)):
            pass
    response = refusal.value.response
    assert response.status_code == 429
    assert response.headers["Retry-After"]
    message: str = json.loads(response.body)["error"]["message"]
    return message


async def test_one_owner_does_not_take_the_last_conversation(server: RunningServer) -> None:
    async with AsyncExitStack() as held:
        for _ in range(3):
            await held.enter_async_context(talking(server, query("greedy")))
        assert await refused(server, "greedy") == (
            "You hold 3 of 4 conversation places; the others are kept for other users."
        )
        async with talking(server, query("other")) as talker:
            assert (await talker.next())["type"] == "session.created"
            assert (await refused(server, "greedy")).startswith("All 4 conversation places")
    assert await asyncio.to_thread(server.all_seats_free)


@asynccontextmanager
async def silent_uploads(server: RunningServer, count: int) -> AsyncIterator[None]:
    """Recordings of the greedy one of which nothing comes but the heads."""
    head = (
        "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"
    ).format(KEYS["greedy"])
    writers = []
    for _ in range(count):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head.encode())
        await writer.drain()
        writers.append(writer)
    try:
        yield
    finally:
        for writer in writers:
            writer.close()


async def test_uploads_of_which_nothing_comes_take_no_places(server: RunningServer) -> None:
    capacity = server.core.request_slots.capacity
    async with silent_uploads(server, capacity), httpx.AsyncClient(base_url=server.http, timeout=60) as client:
        await asyncio.sleep(0.1)
        assert server.core.request_slots.taken == 0
        answer = await client.post(
            "/v1/audio/transcriptions",
            headers={"Authorization": f"Bearer {KEYS['other']}"},
            files={"file": ("a.wav", BytesIO(file_of(hum(200))))},
            data={"model": "whisper-1"},
        )
        assert answer.status_code == 200, answer.text


async def test_sockets_of_speech_that_say_nothing_take_no_places(server: RunningServer) -> None:
    async with AsyncExitStack() as held:
        for _ in range(server.core.request_slots.capacity):
            url = f"{server.ws}/v1/realtime/audio?model=step-tts-2&api_key={KEYS['greedy']}"
            socket = await held.enter_async_context(connect(url))
            await socket.recv()
        assert server.core.request_slots.taken == 0


async def closed(talker: Talker) -> tuple[str, int, str]:
    """The code of the last error before the server closed, the close code and the reason."""
    error = (await talker.until("error"))[-1]["error"]["code"]
    with pytest.raises(ConnectionClosed):
        await talker.next()
    return error, talker.socket.close_code or 0, talker.socket.close_reason or ""


async def test_a_conversation_in_which_nothing_is_said_ends(silent: RunningServer) -> None:
    async with talking(silent) as talker:
        begun = time.monotonic()
        assert await closed(talker) == ("session_idle", 1001, "Nothing was said in this session for 1 seconds.")
        assert time.monotonic() - begun >= 0.9


async def test_what_the_client_sends_keeps_a_conversation(silent: RunningServer) -> None:
    async with talking(silent) as talker:
        for _ in range(6):
            await asyncio.sleep(0.3)
            await talker.send(type="input_audio_buffer.clear")
        await talker.say("hello")
        await talker.send(type="response.create")
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_silent_conversations_give_way_when_the_server_is_full(silent: RunningServer) -> None:
    async with AsyncExitStack() as held:
        first, second = [await held.enter_async_context(talking(silent)) for _ in range(2)]
        await asyncio.sleep(0.2)
        await second.send(type="input_audio_buffer.clear")
        await second.until("input_audio_buffer.cleared")
        async with talking(silent) as third:
            assert (await third.next())["type"] == "session.created"
            code, close_code, reason = await closed(first)
            assert (code, close_code) == ("session_idle", 1001)
            assert "somebody else needs its place" in reason
            await second.send(type="input_audio_buffer.clear")
            await second.until("input_audio_buffer.cleared")
    assert await asyncio.to_thread(silent.all_seats_free)
