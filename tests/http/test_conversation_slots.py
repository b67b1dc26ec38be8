"""Who gets a place on a full server: who comes back at once, and whoever needs one that nobody uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from running import RunningServer, Talker, running, talking
from vivavoce.config import load_config

KEYS = {"anne": "key-of-anne", "ben": "key-of-ben"}


@pytest.fixture(scope="module")
def small() -> Iterator[RunningServer]:
    """Four places, of which one owner holds at most three; a lost conversation holds one for a minute."""
    settings = {"limits": {"sessions": 4, "requests": 1}, "auth": {"keys": KEYS}}
    with running(load_config(settings, profile="fake")) as started:
        yield started


def query(name: str, more: str = "") -> str:
    return f"model=step-audio-2&api_key={KEYS[name]}{more}"


async def lost(server: RunningServer, name: str) -> str:
    """A conversation whose connection broke, and its token."""
    async with talking(server, query(name, "&resumable=1")) as talker:
        token: str = (await talker.next())["session"]["resume_token"]
        talker.socket.transport.abort()
    assert await asyncio.to_thread(orphaned, server, token)
    return token


def orphaned(server: RunningServer, token: str) -> bool:
    """Whether the server has noticed; it has a moment to."""
    call, deadline = server.core.connections._connections[token.partition(".")[0]], time.monotonic() + 5
    while call.orphaned_until is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return call.orphaned_until is not None


async def resumable(server: RunningServer, name: str, token: str) -> bool:
    """Whether it can still be taken up; if so it is, and hung up."""
    try:
        async with talking(server, f"resume={token}&api_key={KEYS[name]}"):
            return True
    except InvalidStatus as refused:
        return refused.response.status_code != 404


async def hold(stack: AsyncExitStack, server: RunningServer, name: str, count: int) -> list[Talker]:
    return [await stack.enter_async_context(talking(server, query(name))) for _ in range(count)]


async def test_who_hangs_up_and_comes_again_at_once_is_let_in(small: RunningServer) -> None:
    async with AsyncExitStack() as others:
        await hold(others, small, "ben", 3)
        for _ in range(40):
            async with talking(small, query("anne")) as talker:
                assert (await talker.next())["type"] == "session.created"


async def test_callers_that_fill_the_server_may_come_again_at_once(small: RunningServer) -> None:
    """Each in mid-reply, so that there is work to be ended."""

    async def caller() -> None:
        for _ in range(9):
            async with talking(small, query("anne")) as talker:
                await talker.next()
                await talker.say("a long story " * 12)
                await talker.send(type="response.create")
                await talker.until("response.created")

    await asyncio.gather(*(caller() for _ in range(3)))


async def test_a_full_server_still_refuses(small: RunningServer) -> None:
    async with AsyncExitStack() as everybody:
        await hold(everybody, small, "ben", 2)
        await hold(everybody, small, "anne", 2)
        with pytest.raises(InvalidStatus) as refused:
            async with talking(small, query("anne")):
                pass
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"]
    assert await asyncio.to_thread(small.all_seats_free)


async def test_conversations_without_a_client_do_not_make_a_server_full(small: RunningServer) -> None:
    tokens = [await lost(small, "anne") for _ in range(3)]
    async with AsyncExitStack() as talkers:
        await hold(talkers, small, "anne", 3)
        assert not any([await resumable(small, "anne", token) for token in tokens])
    assert await asyncio.to_thread(small.all_seats_free)


async def test_ones_own_lost_conversation_gives_way_before_an_older_one_of_others(small: RunningServer) -> None:
    older, own, later = await lost(small, "ben"), await lost(small, "anne"), await lost(small, "anne")
    async with AsyncExitStack() as talkers:
        await hold(talkers, small, "ben", 1)
        await hold(talkers, small, "anne", 1)
        assert small.core.conversation_slots.taken == 4
        assert not await resumable(small, "anne", own)
        assert await resumable(small, "ben", older)
        assert await resumable(small, "anne", later)
    assert await asyncio.to_thread(small.all_seats_free)


async def test_without_one_of_ones_own_the_oldest_gives_way(small: RunningServer) -> None:
    oldest, *others = [await lost(small, "ben") for _ in range(3)]
    async with (
        AsyncExitStack() as talkers,
        httpx.AsyncClient(headers={"Authorization": f"Bearer {KEYS['anne']}"}) as client,
    ):
        await hold(talkers, small, "anne", 1)
        body = {"model": "step-audio-2", "messages": [{"role": "user", "content": "hi"}]}
        answer = await client.post(f"{small.http}/v1/chat/completions", json=body)
        assert answer.status_code == 200
        assert not await resumable(small, "ben", oldest)
        for token in others:
            assert await resumable(small, "ben", token)
    assert await asyncio.to_thread(small.all_seats_free)


async def test_a_lost_conversation_is_kept_while_there_is_room(small: RunningServer) -> None:
    token = await lost(small, "anne")
    async with AsyncExitStack() as talkers:
        await hold(talkers, small, "ben", 2)
        assert await resumable(small, "anne", token)
    assert await asyncio.to_thread(small.all_seats_free)


async def test_many_who_come_at_once_each_get_a_lost_ones_place(small: RunningServer) -> None:
    tokens = [await lost(small, "ben") for _ in range(3)]
    async with AsyncExitStack() as talkers:
        callers = [talkers.enter_async_context(talking(small, query("anne"))) for _ in range(2)]
        for talker in await asyncio.gather(*callers):
            assert (await talker.next())["type"] == "session.created"
    assert [await resumable(small, "ben", token) for token in tokens] == [False, True, True]
    assert await asyncio.to_thread(small.all_seats_free)


async def test_a_socket_of_speech_that_is_opened_again_at_once_is_let_in(small: RunningServer) -> None:
    url = f"{small.ws}/v1/realtime/audio?model=step-tts-2&api_key={KEYS['anne']}"
    for _ in range(20):
        async with connect(url) as socket:
            await socket.recv()
