"""A tier served by a hosted Realtime API, which is scripted: whatever can go wrong with one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from hosted_upstream import Fail, Fault, HangUp, Incomplete, Raw, Say, Stall, Upstream, upstream
from relaying import failure_of, front_of, speak, status_of, words_of
from running import RunningServer, silence, talking, tone


@pytest.fixture(scope="module")
def far() -> Iterator[Upstream]:
    with upstream("ga") as script:
        yield script


@pytest.fixture(scope="module")
def front(far: Upstream) -> Iterator[RunningServer]:
    with front_of(far) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(far: Upstream) -> None:
    far.reset()


async def test_audio_is_sent_while_it_is_spoken(front: RunningServer, far: Upstream) -> None:
    async with talking(front) as talker:
        await talker.append(tone(1000))
        async with asyncio.timeout(5):
            while not far.events("input_audio_buffer.append"):  # noqa: ASYNC110 (no event)
                await asyncio.sleep(0.02)
        assert not far.events("input_audio_buffer.commit")


async def test_a_reply_that_is_still_being_made_is_cancelled(front: RunningServer, far: Upstream) -> None:
    far.scripts.append([Say("Well, ", 4000), Stall()])
    async with talking(front) as talker:
        await talker.append(tone(600) + silence(1500))
        await talker.until("response.audio.delta")
        await talker.send(type="response.cancel")
        assert status_of(await talker.until("response.done")) == "cancelled"
        assert status_of(await speak(talker)) == "completed"
    kinds = [event["type"] for event in far.received if "audio_buffer" not in event["type"]]
    assert kinds.index("response.cancel") < len(kinds) - 1 - kinds[::-1].index("response.create")


FAULTS: dict[str, tuple[list[Any], str]] = {
    "stall before": ([Stall()], "hosted: did not begin to answer in time"),
    "stall within": ([Say("It is "), Stall()], "hosted: sent nothing more for 0.7 s"),
    "closed within": ([Say("It is "), HangUp()], "hosted: closed the connection"),
    "error event": ([Say("It is "), Fault("server_error", "server_error")], "hosted: failed (server_error)"),
    "no JSON": ([Say("It is "), Raw("not json")], "hosted: sent something that is no event"),
    "no event": ([Say("It is "), Raw('{"type": "response.output_item.added", "item": 3}')], "hosted: sent an event"),
    "no audio": ([Raw('{"type":"response.audio.delta","delta":"%%%"}')], "hosted: sent something that is no audio"),
    "failed": ([Say("It is "), Fail("insufficient_quota")], "hosted: failed (insufficient_quota)"),
    "filtered": ([Say("It is "), Incomplete("content_filter")], "hosted: refuses what was to be said (content_filter)"),
    "expired within": ([Say("It is "), Fault("session_expired")], "hosted: has ended the session"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_faults(front: RunningServer, far: Upstream, fault: str) -> None:
    script, message = FAULTS[fault]
    async with talking(front) as talker:
        far.scripts += [script, script, script] if fault == "no audio" else [script]
        async with asyncio.timeout(8):
            assert failure_of(await speak(talker)).startswith(message)
        far.scripts.clear()
        events = await speak(talker)
        assert status_of(events) == "completed"
        assert words_of(events) == "It is far."
    assert front.all_seats_free()


async def test_a_connection_that_is_lost_in_between_is_made_again(front: RunningServer, far: Upstream) -> None:
    async with talking(front) as talker:
        await speak(talker)
        far.connections[-1].socket.close()
        await asyncio.sleep(0.2)
        events = await speak(talker)
        assert status_of(events) == "completed"
        assert len(far.requests) == 2
        assert [item.get("role") for item in far.items] == ["user", "assistant", "user", "assistant"]


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ((HTTPStatus.UNAUTHORIZED, {}), "hosted: refuses the key (401)"),
        ((HTTPStatus.NOT_FOUND, {}), "hosted: knows no such model or endpoint (404)"),
        ((HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "60"}), "hosted: has too many requests (429)"),
    ],
)
async def test_a_refused_connection(
    front: RunningServer, far: Upstream, refusal: tuple[HTTPStatus, dict[str, str]], message: str
) -> None:
    far.refusals += [refusal] * 12
    async with talking(front) as talker:
        assert failure_of(await speak(talker)) == message
        far.refusals.clear()
        assert status_of(await speak(talker)) == "completed"
    assert front.all_seats_free()


async def test_one_that_hangs_up_at_once_is_not_called_all_the_time(front: RunningServer, far: Upstream) -> None:
    far.hangs_up = True
    async with talking(front) as talker:
        for _ in range(30):
            await talker.append(tone(20))
            await asyncio.sleep(0.01)
        await talker.append(silence(1500))
        assert "closed the connection" in failure_of(await talker.until("response.done"))
        assert len(far.requests) < 12
        far.hangs_up = False
        await asyncio.sleep(0.15)
        assert status_of(await speak(talker)) == "completed"


async def test_a_busy_server_is_asked_again(front: RunningServer, far: Upstream) -> None:
    far.refusals += [(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "0.1"})] * 3
    async with talking(front) as talker:
        assert status_of(await speak(talker)) == "completed"


async def test_refused_settings(front: RunningServer, far: Upstream) -> None:
    far.refused_events["session.update"] = "invalid_voice"
    async with talking(front) as talker:
        assert failure_of(await speak(talker)) == "hosted: failed (invalid_voice)"
        far.refused_events.clear()
        assert status_of(await speak(talker)) == "completed"


async def test_one_that_is_away(far: Upstream) -> None:
    with front_of(far, url="http://127.0.0.1:9/v1", pause_s=60) as front:
        async with talking(front) as talker:
            assert failure_of(await speak(talker)).endswith("cannot be reached")
            assert failure_of(await speak(talker)) == "hosted: is away: cannot be reached"
        ready = await asyncio.to_thread(httpx.get, f"{front.http}/readyz", timeout=10)
        assert ready.status_code == HTTPStatus.OK
        assert ready.json()["status"] == "degraded"
        assert not ready.json()["checks"]["engine hosted"]["ok"]
        assert front.all_seats_free()


async def test_their_transcripts(far: Upstream) -> None:
    with front_of(far, transcripts="theirs") as front:
        async with talking(front) as talker:
            events = await speak(talker)
            (heard,) = [e for e in events if e["type"] == "conversation.item.input_audio_transcription.completed"]
            assert heard["transcript"] == far.heard_words
            assert status_of(events) == "completed"
            far.connections[-1].socket.close()
            far.refusals += [(HTTPStatus.UNAUTHORIZED, {})] * 12
            await asyncio.sleep(0.2)
            events = await speak(talker)  # ours reads it
            (heard,) = [e for e in events if e["type"] == "conversation.item.input_audio_transcription.completed"]
            assert heard["transcript"] == "I heard 600 milliseconds."
            assert failure_of(events) == "hosted: refuses the key (401)"


async def test_an_old_connection_is_renewed_between_turns(far: Upstream) -> None:
    with front_of(far, session_minutes=0.001) as front:
        async with talking(front) as talker:
            assert status_of(await speak(talker)) == "completed"
            await asyncio.sleep(0.1)
            assert status_of(await speak(talker)) == "completed"
        assert len(far.requests) >= 2
        users = [item for item in far.items if item.get("role") == "user"]
        assert len(users) == 2


async def test_nothing_is_connected_before_it_is_needed(far: Upstream) -> None:
    with front_of(far, prewarm=False) as front:
        async with talking(front) as talker:
            await talker.until("session.created")
            await asyncio.sleep(0.3)
            assert not far.requests
            assert status_of(await speak(talker)) == "completed"
            assert len(far.requests) == 1


async def test_audio_of_a_turn_that_is_none_is_forgotten(front: RunningServer, far: Upstream) -> None:
    async with talking(front) as talker:
        await talker.send(type="session.update", session={"turn_detection": None})
        await talker.append(tone(600))
        await talker.send(type="input_audio_buffer.clear")
        await talker.until("input_audio_buffer.cleared")
        await talker.append(tone(400))
        await talker.send(type="input_audio_buffer.commit")
        await talker.send(type="response.create")
        await talker.until("response.done")
        users = [item["audio_ms"] for item in far.items if item.get("role") == "user"]
        assert users == [400]
