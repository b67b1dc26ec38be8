"""Seats: distinct, bounded, given back."""

from __future__ import annotations

import asyncio

import pytest

from vivavoce.errors import CapacityError
from vivavoce.runtime.slots import SlotFreed, Slots, take_when_free


def test_seats_are_distinct_and_bounded() -> None:
    slots = Slots(3)
    taken = [slots.take() for _ in range(3)]
    assert set(taken) == {0, 1, 2}
    with pytest.raises(CapacityError) as refused:
        slots.take()
    assert refused.value.capacity == 3
    for slot in taken:
        slots.give_back(slot)
    assert slots.taken == 0


def test_the_seat_given_back_last_is_taken_first() -> None:
    slots = Slots(3)
    slots.take()
    second = slots.take()
    slots.give_back(second)
    assert slots.take() == second


async def test_a_seat_for_a_block_is_given_back_whatever_happens() -> None:
    slots = Slots(1, "places for requests")

    async def fail() -> None:
        async with slots.hold() as slot:
            assert (slot, slots.taken) == (0, 1)
            with pytest.raises(CapacityError, match="All 1 places for requests"):
                slots.take()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert slots.taken == 0


async def test_who_waits_gets_the_seat_that_is_given_back() -> None:
    slots = Slots(1)
    slot = slots.take()

    async def work() -> int:
        async with slots.hold() as mine:
            return mine

    waiting = [asyncio.ensure_future(work()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    slots.give_back(slot)
    assert await asyncio.gather(*waiting) == [0, 0, 0]
    assert slots.taken == 0


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.runtime.slots.SLOT_TIMEOUT_S", 0.0)
    slots = Slots(1)
    slots.take()
    with pytest.raises(CapacityError):
        async with slots.hold():
            pass
    assert slots.taken == 1


async def test_one_that_is_about_to_be_free_is_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.runtime.slots.SLOT_TIMEOUT_S", 0.0)
    slot_freed = SlotFreed()
    slots = Slots(1, slot_freed=slot_freed)
    slot = slots.take()
    asyncio.get_running_loop().call_later(0.05, slots.give_back, slot)
    assert await take_when_free(slots.take, slot_freed, ending=lambda: True) == slot


async def test_who_gives_up_takes_nothing_along() -> None:
    slots = Slots(1)
    slot = slots.take()
    waiting = asyncio.ensure_future(take_when_free(slots.take, slots.slot_freed))
    await asyncio.sleep(0)
    waiting.cancel()
    slots.give_back(slot)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slots.taken == 0
