"""The conversations of a process: which outlive their connections, which make room, how all of them end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from calls_per_frame import fake_driver

from runtime.client import Client
from vivavoce.errors import ClientError
from vivavoce.runtime.connections import GOING_AWAY, ConnectionRegistry, RealtimeConnection, new_resume_token

GRACE_S = 0.1


@asynccontextmanager
async def registry(*, grace_s: float = GRACE_S, evictable_after_s: float = 60.0) -> AsyncIterator[ConnectionRegistry]:
    async with asyncio.timeout(20), ConnectionRegistry(grace_s=grace_s, evictable_after_s=evictable_after_s) as calls:
        yield calls


def begin(
    calls: ConnectionRegistry, owner: str = "owner", *, resumable: bool = False, scopes: frozenset[str] = frozenset()
) -> RealtimeConnection:
    driver = fake_driver(owner=owner, keep_frames=100)
    token = new_resume_token(driver.session_id) if resumable else None
    return calls.start(driver, owner, token, lambda: None, scopes=scopes)


@asynccontextmanager
async def carried(call: RealtimeConnection, client: Client) -> AsyncIterator[asyncio.Task[None]]:
    carrying = asyncio.create_task(call.serve(client))
    await client.until("session.created")
    yield carrying
    await carrying


async def test_a_connection_that_breaks_ends_a_call_that_cannot_be_resumed() -> None:
    async with registry() as calls:
        call, client = begin(calls), Client()
        async with carried(call, client):
            client.lose_connection()
        await asyncio.wait_for(call.ended.wait(), GRACE_S / 2)


async def test_one_that_can_be_resumed_waits_for_its_client() -> None:
    async with registry() as calls:
        call, client = begin(calls, resumable=True), Client()
        async with carried(call, client):
            client.lose_connection()
        assert not call.driver.ending
        assert call.orphaned_until is not None
        await asyncio.wait_for(call.ended.wait(), 10)


async def test_a_client_that_comes_back_goes_on_and_hangs_up() -> None:
    async with registry(grace_s=60) as calls:
        call, client, again = begin(calls, resumable=True), Client(), Client()
        async with carried(call, client):
            client.lose_connection()
        assert call.token is not None
        assert calls.find_resumable(call.token, "owner") is call
        call.resume(None)
        carrying = asyncio.create_task(call.serve(again))
        again.send_event("input_audio_buffer.clear")
        await again.until("input_audio_buffer.cleared")
        again.hang_up()
        await carrying
        assert call.ended.is_set()
        with pytest.raises(ClientError, match="no such session"):
            calls.find_resumable(call.token, "owner")


async def test_only_its_own_client_may_resume_it() -> None:
    async with registry(grace_s=60) as calls:
        call = begin(calls, resumable=True, scopes=frozenset({"realtime"}))
        token = call.token
        assert token is not None
        narrow, wide = frozenset({"realtime"}), frozenset({"realtime", "files"})
        assert calls.find_resumable(token, "owner", wide) is call
        for wrong in (
            {"token": token + "x", "owner": "owner", "scopes": wide},
            {"token": token, "owner": "somebody", "scopes": wide},
            {"token": token, "owner": "owner", "scopes": frozenset({"files"})},
        ):
            with pytest.raises(ClientError) as refused:
                calls.find_resumable(**wrong)  # type: ignore[arg-type]
            assert refused.value.code == "session_not_found"
        assert calls.find_resumable(token, "owner", narrow) is call


async def test_the_call_lost_first_gives_way_but_an_owners_own_before_others() -> None:
    async with registry(grace_s=60) as calls:
        lost = {name: begin(calls, name[0], resumable=True) for name in ("a1", "a2", "b1")}
        for call in lost.values():
            call.await_resume()
            await asyncio.sleep(0.01)
        calls.evict_idle("b")
        assert [name for name, call in lost.items() if call.driver.ending] == ["b1"]
        calls.evict_idle("b")
        assert not lost["a1"].driver.ending, "one that is about to be over is enough"
        await lost["b1"].ended.wait()
        calls.evict_idle("b", own_only=True)
        assert not calls.ending
        calls.evict_idle("b")
        assert [name for name, call in lost.items() if call.driver.ending] == ["a1", "b1"]


async def test_a_silent_call_gives_way_only_when_it_has_been_silent_for_long() -> None:
    async with registry(evictable_after_s=0.0) as calls:
        call, client = begin(calls), Client()
        async with carried(call, client):
            calls.evict_idle("somebody")
            assert (await client.until("error"))["error"]["code"] == "session_idle"
        assert client.closed_with == GOING_AWAY
    async with registry(evictable_after_s=60.0) as calls:
        call, client = begin(calls), Client()
        async with carried(call, client):
            calls.evict_idle("somebody")
            assert not calls.ending
            client.hang_up()


async def test_all_are_told_when_the_server_goes_down() -> None:
    async with registry(grace_s=60) as calls:
        clients = [Client(), Client()]
        async with carried(begin(calls), clients[0]), carried(begin(calls, resumable=True), clients[1]):
            await calls.drain(5)
        assert calls.draining
        assert [client.closed_with for client in clients] == [GOING_AWAY, GOING_AWAY]


async def test_a_slot_that_cannot_be_given_back_ends_no_other_call(caplog: pytest.LogCaptureFixture) -> None:
    def give_back() -> None:
        raise ZeroDivisionError

    async with registry() as calls:
        other = begin(calls)
        failing = calls.start(fake_driver(), "owner", None, give_back)
        with caplog.at_level(logging.ERROR):
            failing.end(GOING_AWAY)
            await failing.ended.wait()
            await asyncio.sleep(0)
        assert "could not be given back" in caplog.text
        assert not other.driver.ending
