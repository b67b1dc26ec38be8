"""Who is next: the more urgent, and owners in turn; nobody waits for ever, and no turn is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce import scheduling
from vivavoce.scheduling import Ticket, Urgency, WorkOwner, WorkQueue

ENDED_TURN, LIVE, LONG, RECORDING = Urgency
Work = tuple[Urgency, object]


async def order_of(work: Iterable[Work], *, parallel: int = 1) -> list[Work]:
    """In which order these have their turns, all of which wait when the first turn is free."""
    queue, order, go = WorkQueue(parallel), list[Work](), asyncio.Event()

    async def one(urgency: Urgency, owner: object) -> None:
        async with queue.turn(Ticket(urgency, owner)):
            order.append((urgency, owner))
            await asyncio.sleep(0)

    async def hold() -> None:
        async with queue.turn(Ticket(ENDED_TURN, "holder")):
            await go.wait()

    holders = [asyncio.create_task(hold()) for _ in range(parallel)]
    tasks = [asyncio.create_task(one(*each)) for each in work]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*holders, *tasks)
    return order


async def test_the_more_urgent_goes_first() -> None:
    waiting = [(RECORDING, 1), (LONG, 2), (LIVE, 3), (ENDED_TURN, 4)]
    assert await order_of(waiting) == waiting[::-1]


async def test_owners_take_turns() -> None:
    assert await order_of([(LONG, "a"), (LONG, "a"), (LONG, "a"), (LONG, "b"), (LONG, "c"), (LONG, "b")]) == [
        (LONG, owner) for owner in "abcaba"
    ]


async def test_owners_take_turns_however_many_conversations_they_have() -> None:
    greedy, other = [WorkOwner("greedy", number) for number in range(3)], WorkOwner("other", 0)
    waiting: list[Work] = [*[(ENDED_TURN, one) for one in greedy * 2], *[(ENDED_TURN, other)] * 3]
    order = [whose for _, whose in await order_of(waiting)]
    assert order == [greedy[0], other, greedy[1], other, greedy[2], other, *greedy]


@pytest.mark.parametrize("multiple_owners", [False, True])
async def test_no_owner_has_all_turns_for_what_nobody_waits_for(multiple_owners: bool) -> None:
    queue, begun, go = WorkQueue(3, multiple_owners=lambda: multiple_owners), list[object](), asyncio.Event()

    async def one(urgency: Urgency, owner: object) -> None:
        async with queue.turn(Ticket(urgency, owner)):
            begun.append(owner)
            await go.wait()

    tasks = [asyncio.create_task(one(LONG, WorkOwner("greedy", number))) for number in range(4)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(begun) == (2 if multiple_owners else 3)
    tasks.append(asyncio.create_task(one(ENDED_TURN if not multiple_owners else LONG, WorkOwner("other", 0))))
    for _ in range(5):
        await asyncio.sleep(0)
    assert (WorkOwner("other", 0) in begun) is multiple_owners
    go.set()
    await asyncio.gather(*tasks)
    assert len(begun) == 5


async def test_what_nobody_has_just_said_comes_slowly_while_somebody_is_attended_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first piece at once, the others of the same owner after a rest; one's own, and turns that are long, without."""
    monkeypatch.setattr(scheduling, "RECORDING_INTERVAL_S", 0.05)
    queue, loop, begun = WorkQueue(), asyncio.get_running_loop(), list[tuple[str, float]]()
    greedy, again, other = WorkOwner("greedy", 0), WorkOwner("greedy", 1), WorkOwner("other", 0)

    async def one(name: str, urgency: Urgency, whose: WorkOwner) -> None:
        async with queue.turn(Ticket(urgency, whose)):
            begun.append((name, loop.time()))

    with queue.interactive(other):
        work = [
            one("first", RECORDING, greedy),
            one("second", RECORDING, again),
            one("own", RECORDING, other),
            one("own again", RECORDING, other),
            one("long", LONG, greedy),
        ]
        await asyncio.gather(*work)
        assert (begun[0][0], begun[-1][0]) == ("first", "second")
        assert begun[-1][1] - begun[0][1] >= 0.04
        monkeypatch.setattr(scheduling, "RECORDING_INTERVAL_S", 60.0)
        last = asyncio.create_task(one("last", RECORDING, greedy))
        await asyncio.sleep(0)
        assert not last.done()
    await asyncio.wait_for(last, 5)


async def test_as_many_at_once_as_there_may_be() -> None:
    queue, begun = WorkQueue(2), list[int]()
    go = asyncio.Event()

    async def one(number: int) -> None:
        async with queue.turn(Ticket(ENDED_TURN, number)):
            begun.append(number)
            await go.wait()

    tasks = [asyncio.create_task(one(number)) for number in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun == [0, 1]
    go.set()
    await asyncio.gather(*tasks)
    assert begun == [0, 1, 2]


async def test_less_urgent_work_is_not_put_off_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """And gets every other turn at most, however long it has waited."""
    monkeypatch.setattr(scheduling, "GUARANTEED_TURN_EVERY_S", dict.fromkeys(scheduling.GUARANTEED_TURN_EVERY_S, 1e-9))
    order = await order_of([*[(ENDED_TURN, "a")] * 6, *[(RECORDING, "r")] * 3])
    assert order == [(RECORDING, "r"), (ENDED_TURN, "a")] * 3 + [(ENDED_TURN, "a")] * 3


async def test_urgency_can_be_raised_while_waiting() -> None:
    queue, order, go = WorkQueue(), list[str](), asyncio.Event()
    raised = Ticket(LIVE, "raised")

    async def one(ticket: Ticket, name: str, until: asyncio.Event | None = None) -> None:
        async with queue.turn(ticket):
            order.append(name)
            if until is not None:
                await until.wait()

    tasks = [
        asyncio.create_task(one(Ticket(ENDED_TURN, "holder"), "holder", go)),
        asyncio.create_task(one(Ticket(LIVE, "other"), "other")),
        asyncio.create_task(one(raised, "raised")),
    ]
    await asyncio.sleep(0)
    raised.urgency = ENDED_TURN
    go.set()
    await asyncio.gather(*tasks)
    assert order == ["holder", "raised", "other"]


async def test_who_is_cancelled_holds_up_nobody() -> None:
    queue, go = WorkQueue(), asyncio.Event()

    async def one(owner: str) -> str:
        async with queue.turn(Ticket(ENDED_TURN, owner)):
            await go.wait()
        return owner

    running, waiting, last = (asyncio.create_task(one(name)) for name in ("running", "waiting", "last"))
    await asyncio.sleep(0)
    waiting.cancel()
    running.cancel()
    go.set()
    assert await last == "last"
    assert await one("again") == "again"


@given(
    work=st.lists(st.tuples(st.sampled_from(Urgency), st.integers(0, 3), st.integers(0, 3)), max_size=20),
    cancelled=st.sets(st.integers(0, 19)),
    parallel=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_no_turn_is_lost_whoever_is_cancelled_when(
    work: list[tuple[Urgency, int, int]], cancelled: set[int], parallel: int
) -> None:
    async def play() -> None:
        queue, at_once, done = WorkQueue(parallel), 0, set[int]()

        async def one(number: int, urgency: Urgency, owner: int, steps: int) -> None:
            nonlocal at_once
            async with queue.turn(Ticket(urgency, owner)):
                at_once += 1
                assert at_once <= parallel
                try:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                finally:
                    at_once -= 1
            done.add(number)

        tasks = [asyncio.create_task(one(number, *each)) for number, each in enumerate(work)]
        for number, task in enumerate(tasks):
            await asyncio.sleep(0)
            if number in cancelled:
                task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks, return_exceptions=True)
        gone = {number for number, task in enumerate(tasks) if task.cancelled()}
        assert done | gone == set(range(len(work)))
        assert gone <= cancelled

    asyncio.run(play())
