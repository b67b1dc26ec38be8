"""How conversations begin, break, are taken up again, and end: over real sockets, with fake engines."""

from __future__ import annotations

import asyncio
import base64
import json
import socket as sockets
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from running import RunningServer, Talker, running, silence, talking, tone
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeVadStream
from vivavoce.session.session import Session

QUERY = "model=step-audio-2&resumable=1"
STORY = "a long story " * 12
"""Eight seconds of fake speech."""


@pytest.fixture(scope="module")
def hasty() -> Iterator[RunningServer]:
    """A server whose grace and sessions are short."""
    limits = {"sessions": 4, "resume_grace_s": 0.3, "session_minutes": 1.5 / 60}
    with running(load_config({"limits": limits}, profile="fake")) as started:
        yield started


@asynccontextmanager
async def quickly_closed(server: RunningServer, query: str) -> AsyncIterator[Talker]:
    """A connection that reads what comes before its server's farewell: unread audio would make the end a broken line."""
    async with talking(server, query) as talker:
        yield talker
        farewell = asyncio.create_task(talker.socket.close())
        with suppress(ConnectionClosed):
            async for _ in talker.socket:
                pass
        await farewell


@asynccontextmanager
async def opened(server: RunningServer, query: str = QUERY) -> AsyncIterator[tuple[Talker, str]]:
    async with quickly_closed(server, query) as talker:
        created = await talker.next()
        assert created["type"] == "session.created"
        yield talker, created["session"].get("resume_token", "")


def resumed(server: RunningServer, token: str, after: str | None = None) -> Any:
    return quickly_closed(server, f"resume={token}" + (f"&after={after}" if after is not None else ""))


async def tell_story(talker: Talker, story: str = STORY) -> dict[str, Any]:
    """Start a long reply; returns the second audio delta."""
    await talker.say(story)
    await talker.send(type="response.create")
    await talker.until("response.audio.delta")
    return (await talker.until("response.audio.delta"))[-1]


async def refusal(server: RunningServer, query: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused:
        async with talking(server, query):
            pass
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"")["error"]["code"]


async def closing(talker: Talker) -> ConnectionClosed:
    while True:
        try:
            await talker.next()
        except ConnectionClosed as closed:
            return closed


def close_code(closed: ConnectionClosed) -> int | None:
    return closed.rcvd.code if closed.rcvd else None


def errors_of_ours(caplog: pytest.LogCaptureFixture) -> list[str]:
    ours = (record for record in caplog.records if record.name.startswith("vivavoce"))
    return [record.message for record in ours if record.levelname == "ERROR"]


async def free_within(server: RunningServer, seconds: float = 8.0) -> bool:
    """Whether no session is left, sooner than the grace of broken connections would have it."""
    return await asyncio.to_thread(server.all_seats_free, seconds)


# ---- taken up again


async def test_a_broken_connection_is_taken_up_where_it_broke(server: RunningServer) -> None:
    async with opened(server) as (talker, token):
        await talker.send(type="session.update", session={"instructions": "Be kind.", "turn_detection": None})
        await talker.until("session.updated")
        seen = await tell_story(talker, "a long story " * 5)
        talker.socket.transport.abort()
    await asyncio.sleep(0.5)  # the reply goes on meanwhile
    async with resumed(server, token, seen["event_id"]) as heir:
        events = await heir.until("response.done")
        kinds = [event["type"] for event in events]
        assert "session.created" not in kinds
        ids = [event["event_id"] for event in events]
        assert len(set(ids)) == len(ids)
        assert seen["event_id"] not in ids
        response = events[-1]["response"]
        assert response["status"] == "completed"
        assert all(event["response_id"] == seen["response_id"] for event in events if "response_id" in event)
        await heir.send(type="session.update", session={})
        session = (await heir.until("session.updated"))[-1]["session"]
        assert (session["instructions"], session["turn_detection"]) == ("Be kind.", None)
        await heir.send(type="conversation.item.retrieve", item_id=response["output"][0]["id"])
        item = (await heir.until("conversation.item.retrieved"))[-1]["item"]
        assert item["content"][0]["transcript"].startswith("You said: a long story")
        await heir.say("and then?")
        assert (await heir.until("conversation.item.created"))[-1]["previous_item_id"] == item["id"]
        await heir.send(type="response.create", response={"modalities": ["text"]})
        assert (await heir.until("response.done"))[-1]["response"]["output"][0]["content"][0]["text"]
    assert await free_within(server)


async def test_nothing_of_a_reply_is_lost_or_doubled_however_often_the_line_breaks(server: RunningServer) -> None:
    chunks: list[bytes] = []
    words: list[str] = []
    ids: list[str] = []
    done = False

    async def listen(talker: Talker, events: int) -> bool:
        for _ in range(events):
            event = await talker.next()
            ids.append(event["event_id"])
            if event["type"] == "response.audio.delta":
                chunks.append(base64.b64decode(event["delta"]))
            if event["type"] == "response.audio_transcript.delta":
                words.append(event["delta"])
            if event["type"] == "response.done":
                return True
        return False

    async with opened(server) as (talker, token):
        await talker.say("one two three four five six seven eight nine ten")
        await talker.send(type="response.create")
        done = await listen(talker, 12)
        talker.socket.transport.abort()
    breaks = 0
    while not done:
        async with resumed(server, token, ids[-1]) as heir:
            done = await listen(heir, 7)
            heir.socket.transport.abort()
        breaks += 1
    text = "You said: one two three four five six seven eight nine ten"
    assert breaks > 3
    assert "".join(words) == text
    assert len(b"".join(chunks)) == len(text) * 50 * 48
    assert len(set(ids)) == len(ids)
    # The last connection broke, too: hang up, so that the seat is free for the next test.
    async with resumed(server, token, ids[-1]):
        pass
    assert await free_within(server)


async def test_a_second_frame_of_one_event_is_a_place_to_go_on_from(server: RunningServer) -> None:
    async with opened(server, QUERY + "&dialect=openai-beta") as (talker, token):
        second = await talker.next()
        assert second["type"] == "conversation.created"
        talker.socket.transport.abort()
    async with resumed(server, token, second["event_id"]) as heir:
        await heir.say("hello")
        assert (await heir.next())["type"] == "conversation.item.created"


async def test_the_microphone_goes_on_over_the_new_connection(server: RunningServer) -> None:
    async with opened(server) as (talker, token):
        await talker.append(silence(300) + tone(500))
        started = (await talker.until("input_audio_buffer.speech_started"))[-1]
        talker.socket.transport.abort()
    async with resumed(server, token, started["event_id"]) as heir:
        await heir.append(tone(500) + silence(700))
        events = await heir.until("conversation.item.input_audio_transcription.completed")
        assert events[-1]["transcript"] == "I heard 1000 milliseconds."
        assert (await heir.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_a_newer_connection_takes_over(server: RunningServer) -> None:
    async with opened(server) as (talker, token):
        seen = await tell_story(talker)
        async with resumed(server, token, seen["event_id"]) as heir:
            first = await heir.next()
            closed = await closing(talker)
            assert (close_code(closed), closed.rcvd.reason if closed.rcvd else "") == (1001, "resumed elsewhere")
            assert first["event_id"] != seen["event_id"]
            await heir.send(type="response.cancel")
            assert (await heir.until("response.done"))[-1]["response"]["status"] == "cancelled"
            assert server.core.conversation_slots.taken == 1
        assert await free_within(server)


async def test_who_hangs_up_has_ended_the_conversation(server: RunningServer) -> None:
    async with opened(server) as (talker, token):
        await tell_story(talker)
    assert await free_within(server)
    assert await refusal(server, f"resume={token}") == (404, "session_not_found")


async def test_who_hangs_up_without_a_code_has_ended_it_as_well(server: RunningServer) -> None:
    async with opened(server) as (talker, token):
        talker.socket.protocol.send_close()
        for data in talker.socket.protocol.data_to_send():
            talker.socket.transport.write(data)
        assert await free_within(server)
    assert await refusal(server, f"resume={token}") == (404, "session_not_found")


async def test_only_the_right_token_opens(server: RunningServer) -> None:
    async with opened(server) as (talker, token), opened(server, "model=step-audio-2") as (_, none):
        assert none == ""
        session_id = token.partition(".")[0]
        for wrong in ("", session_id, f"{session_id}.", f"{session_id}.guess", token[:-1], token + "x", "%00.%C3%A4"):
            assert await refusal(server, f"resume={wrong}") == (404, "session_not_found"), wrong
        await talker.say("still mine")
        await talker.until("conversation.item.created")


async def test_events_too_long_ago_cannot_be_had_again_and_the_connection_there_is_stays(server: RunningServer) -> None:
    async with opened(server) as (talker, token):
        assert await refusal(server, f"resume={token}&after=event_x") == (410, "session_not_resumable")
        await talker.say("still here")
        await talker.send(type="response.create", response={"modalities": ["text"]})
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_another_owner_cannot_resume() -> None:
    keys = {"anne": "key-of-anne", "ben": "key-of-ben"}
    with running(load_config({"auth": {"keys": keys}}, profile="fake")) as server:
        async with opened(server, f"{QUERY}&api_key=key-of-anne") as (talker, token):
            last = await tell_story(talker)
            talker.socket.transport.abort()
        back = f"resume={token}&after={last['event_id']}"
        assert await refusal(server, f"{back}&api_key=key-of-ben") == (404, "session_not_found")
        assert await refusal(server, back) == (401, "invalid_api_key")
        async with quickly_closed(server, f"{back}&api_key=key-of-anne") as heir:
            assert (await heir.next())["response_id"] == last["response_id"]


# ---- the end


async def test_without_a_token_a_broken_connection_frees_all_at_once(server: RunningServer) -> None:
    async with opened(server, "model=step-audio-2") as (talker, token):
        assert token == ""
        await tell_story(talker)
        talker.socket.transport.abort()
        assert await free_within(server)
    assert not server.core.connections._connections


async def test_grace_ends(hasty: RunningServer) -> None:
    async with opened(hasty) as (talker, token):
        await tell_story(talker)
        talker.socket.transport.abort()
    await asyncio.sleep(0.1)
    assert hasty.core.conversation_slots.taken == 1
    assert await free_within(hasty)
    assert await refusal(hasty, f"resume={token}") == (404, "session_not_found")


async def test_grace_begins_anew_with_every_break() -> None:
    with running(load_config({"limits": {"sessions": 4, "resume_grace_s": 2.0}}, profile="fake")) as server:
        async with opened(server) as (talker, token):
            talker.socket.transport.abort()
        for _ in range(3):
            await asyncio.sleep(0.8)  # all three are longer than the grace, each is far from it on a busy machine, too
            async with resumed(server, token) as heir:
                await heir.say("hello")
                await heir.until("conversation.item.created")
                heir.socket.transport.abort()
        assert await free_within(server)


@pytest.mark.parametrize("query", [QUERY, "model=step-audio-2"])
async def test_a_session_has_its_time(hasty: RunningServer, query: str) -> None:
    began = time.monotonic()
    async with opened(hasty, query) as (talker, token):
        await tell_story(talker)
        events = await talker.until("error")
        assert [event["session"]["expires_in_seconds"] for event in events if "session" in event] == [0.75]
        done = next(event["response"] for event in events if event["type"] == "response.done")
        assert done["status"] == "incomplete"
        assert done["status_details"]["error"]["code"] == "session_expired"
        assert events[-1]["error"]["code"] == "session_expired"
        closed = await closing(talker)
        assert close_code(closed) == 1001
        assert closed.rcvd is not None
        assert closed.rcvd.reason == "Your session hit the maximum duration of 1.5 seconds."
    assert 1.4 < time.monotonic() - began < 4
    assert await free_within(hasty)
    assert (await refusal(hasty, f"resume={token}"))[0] == 404


async def test_a_bug_met_while_reading_ends_the_call(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    async with opened(server) as (talker, token):
        monkeypatch.setattr(Session, "receive", stumble)
        await talker.send(type="response.cancel")
        assert close_code(await closing(talker)) == 1011
    assert await free_within(server)
    assert (await refusal(server, f"resume={token}"))[0] == 404


async def test_a_bug_met_while_replying_ends_the_call(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(server) as (talker, _):
        await talker.send(type="session.update", session={"turn_detection": None})
        await talker.until("session.updated")
        monkeypatch.setattr("vivavoce.runtime.reply_run.reply", None)
        await talker.say("hello")
        await talker.send(type="response.create")
        assert close_code(await closing(talker)) == 1011
    assert await free_within(server)


async def test_a_bug_in_an_engine_ends_the_call(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeVadStream, "probability", None)
    async with opened(server) as (talker, _):
        await talker.append(tone(200))
        assert close_code(await closing(talker)) == 1011
    assert await free_within(server)


async def test_a_client_that_does_not_read_is_cut_off(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.runtime.replay_buffer.STALLED_S", 0.5)
    async with connect(f"{server.ws}/v1/realtime?{QUERY}", max_size=None, max_queue=1) as socket:
        talker = Talker(socket)
        token = (await talker.next())["session"]["resume_token"]
        # Nobody reads: first our own buffers fill, then those of the two kernels, then the server's line.
        filling = asyncio.create_task(_fill(talker))
        assert await free_within(server, 20)
        filling.cancel()
        assert close_code(await closing(talker)) == 1013
    assert (await refusal(server, f"resume={token}"))[0] == 404


async def _fill(talker: Talker) -> None:
    await talker.say("x" * 400_000)
    item = await _item_id(talker)
    while True:
        await talker.send(type="conversation.item.retrieve", item_id=item)
        await asyncio.sleep(0.001)


async def _item_id(talker: Talker) -> str:
    return str((await talker.until("conversation.item.created"))[-1]["item"]["id"])


async def test_a_client_that_vanishes_while_much_waits_for_it_frees_its_seat(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(f"{server.ws}/v1/realtime?model=step-audio-2", max_size=None, max_queue=1) as socket:
        talker = Talker(socket)
        await talker.next()
        await talker.say("x" * 400_000)
        item = await _item_id(talker)
        for _ in range(60):
            await talker.send(type="conversation.item.retrieve", item_id=item)
        await asyncio.sleep(0.2)
        assert server.core.conversation_slots.taken == 1
        socket.transport.abort()
        assert await free_within(server)
    assert errors_of_ours(caplog) == []


def ask_and_vanish(server: RunningServer, query: str) -> None:
    """Ask for the upgrade, and reset the connection before the answer can be there."""
    request = (
        f"GET /v1/realtime?{query} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    raw = sockets.create_connection(("127.0.0.1", server.port))
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    raw.sendall(request.encode())
    raw.close()


async def test_clients_that_vanish_during_the_upgrade_leave_no_seat_taken(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        ask_and_vanish(server, "model=step-audio-2")
    await asyncio.sleep(0.5)  # until all have been met
    assert await free_within(server)
    assert errors_of_ours(caplog) == []


async def test_a_resumed_connection_that_breaks_in_the_upgrade_can_be_resumed_again(server: RunningServer) -> None:
    async with opened(server) as (talker, token):
        seen = await tell_story(talker)
        talker.socket.transport.abort()
    ask_and_vanish(server, f"resume={token}&after={seen['event_id']}")
    await asyncio.sleep(0.1)
    async with resumed(server, token, seen["event_id"]) as heir:
        assert (await heir.next())["response_id"] == seen["response_id"]
    assert await free_within(server)
