"""The line to a client: order, what is kept, what a heir gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from vivavoce.errors import ClientError
from vivavoce.runtime import replay_buffer as lines
from vivavoce.runtime.replay_buffer import UNSENT_FRAMES, ReplayBuffer, SlowClientError


def frame(number: int) -> str:
    return json.dumps({"type": "x", "event_id": f"event_{number}"})


def numbers(frames: list[str]) -> list[int]:
    return [int(json.loads(one)["event_id"].removeprefix("event_")) for one in frames]


class Client:
    """Takes frames; after ``stuck_after`` of them it stops reading."""

    def __init__(self, stuck_after: int | None = None) -> None:
        self.got: list[str] = []
        self._stuck_after = stuck_after
        self.reads = asyncio.Event()

    async def send(self, one: str) -> None:
        self.got.append(one)
        await asyncio.sleep(0)
        if self._stuck_after is not None and len(self.got) >= self._stuck_after:
            await self.reads.wait()


@asynccontextmanager
async def carried(line: ReplayBuffer, client: Client) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(line.deliver(client.send))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def settle() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


def filled(count: int, keep_frames: int = 0) -> ReplayBuffer:
    line = ReplayBuffer(keep_frames=keep_frames)
    for number in range(count):
        line.post(frame(number))
    return line


async def test_frames_go_out_in_order_those_that_waited_first() -> None:
    line, client = filled(3), Client()
    async with carried(line, client):
        await line.drain()
        line.post(frame(3))
        await line.drain()
    assert numbers(client.got) == [0, 1, 2, 3]


async def test_a_second_client_gets_what_the_first_did_not_see() -> None:
    line = filled(10, keep_frames=8)
    async with carried(line, Client()):
        await line.drain()
    line.post(frame(10))
    line.rewind("event_6")
    heir = Client()
    async with carried(line, heir):
        await line.drain()
    assert numbers(heir.got) == [7, 8, 9, 10]


async def test_without_a_last_event_only_what_was_never_sent_follows() -> None:
    line = filled(4, keep_frames=8)
    async with carried(line, Client()):
        await line.drain()
    line.post(frame(4))
    line.rewind(None)
    heir = Client()
    async with carried(line, heir):
        await line.drain()
    assert numbers(heir.got) == [4]


async def test_a_frame_the_client_saw_before_it_was_cut_off_in_sending_does_not_come_twice() -> None:
    line, first = filled(4, keep_frames=8), Client(stuck_after=2)
    async with carried(line, first):
        await settle()
    assert numbers(first.got) == [0, 1]
    line.rewind("event_1")
    heir = Client()
    async with carried(line, heir):
        await line.drain()
    assert numbers(heir.got) == [2, 3]


async def test_a_client_that_is_replaced_while_a_frame_is_on_its_way_takes_none_from_its_heir() -> None:
    line, first, heir = filled(6, keep_frames=8), Client(stuck_after=4), Client()
    async with carried(line, first) as carrying:
        await settle()
        line.rewind("event_0")
        first.reads.set()
        await settle()
        assert carrying.done()
        assert numbers(first.got) == [0, 1, 2, 3]
        async with carried(line, heir):
            await line.drain()
    assert numbers(heir.got) == [1, 2, 3, 4, 5]


async def test_a_client_that_waits_for_more_is_replaced_too() -> None:
    line, first, heir = filled(2, keep_frames=8), Client(), Client()
    async with carried(line, first) as carrying:
        await settle()
        line.rewind(None)
        await settle()
        assert carrying.done()
        line.post(frame(2))
        async with carried(line, heir):
            await line.drain()
    assert numbers(first.got) == [0, 1]
    assert numbers(heir.got) == [2]


async def test_the_later_of_two_clients_has_the_line() -> None:
    line, first, second = ReplayBuffer(keep_frames=4), Client(), Client()
    async with carried(line, first) as one:
        await settle()
        async with carried(line, second):
            await settle()
            for number in range(3):
                line.post(frame(number))
            await line.drain()
            assert one.done()
    assert numbers(second.got) == [0, 1, 2]
    assert first.got == []


@pytest.mark.parametrize("after", ["event_4", "event_99", "", 'x"'])
async def test_what_is_not_kept_cannot_be_had_again(after: str) -> None:
    line, client = filled(10, keep_frames=5), Client()
    async with carried(line, client) as carrying:
        await line.drain()
        with pytest.raises(ClientError) as refused:
            line.rewind(after)
        assert (refused.value.code, refused.value.param) == ("session_not_resumable", "after")
        line.post(frame(10))
        await line.drain()
        assert not carrying.done()
    assert numbers(client.got) == list(range(11))


async def test_a_client_that_stopped_reading_is_noticed() -> None:
    line = filled(UNSENT_FRAMES)
    with pytest.raises(SlowClientError):
        line.post(frame(0))


async def test_what_waits_is_bounded_in_bytes() -> None:
    line = ReplayBuffer(max_bytes=10_000)
    line.post("x" * 20_000)  # one may be larger: there is no other way to say it
    with pytest.raises(SlowClientError, match="bytes wait"):
        line.post("x")
    line = ReplayBuffer(max_bytes=10_000)
    line.post("x" * 6_000)
    with pytest.raises(SlowClientError, match="bytes wait"):
        line.post("好" * 3_000)


async def test_what_is_kept_makes_way_for_what_waits() -> None:
    line, padding = ReplayBuffer(keep_frames=100, max_bytes=10_000), "x" * 900
    frames = [json.dumps({"event_id": f"event_{number}", "padding": padding}) for number in range(20)]
    async with carried(line, Client()):
        for one in frames[:14]:
            line.post(one)
            await line.drain()
    for one in frames[14:]:
        line.post(one)
    with pytest.raises(ClientError):
        line.rewind("event_9")
    line.rewind("event_11")
    heir = Client()
    async with carried(line, heir):
        await line.drain()
        line.rewind("event_18")
    assert numbers(heir.got) == list(range(12, 20))
    async with carried(line, heir):
        await line.drain()
    assert numbers(heir.got)[8:] == [19]


async def test_a_client_is_not_listened_to_while_too_much_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "ROOM_BYTES", 5_000)
    line, client = ReplayBuffer(), Client(stuck_after=1)
    for _ in range(8):
        line.post("x" * 1_000)
    async with carried(line, client):
        room = asyncio.ensure_future(line.wait_for_room())
        await settle()
        assert not room.done()
        client.reads.set()
        await room
        await line.drain()


async def test_one_that_takes_nothing_meanwhile_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "ROOM_BYTES", 500)
    monkeypatch.setattr(lines, "STALLED_S", 0.01)
    line = ReplayBuffer()
    line.post("x" * 1_000)
    with pytest.raises(SlowClientError, match="has taken nothing for"):
        await line.wait_for_room()
