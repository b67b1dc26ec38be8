"""Seats: distinct, bounded, given back."""

from __future__ import annotations

import asyncio

import pytest

from vivavoce.errors import CapacityError
from vivavoce.runtime.seats import Seats, Vacancies, patiently


def test_seats_are_distinct_and_bounded() -> None:
    seats = Seats(3)
    taken = [seats.take() for _ in range(3)]
    assert set(taken) == {0, 1, 2}
    with pytest.raises(CapacityError) as refused:
        seats.take()
    assert refused.value.capacity == 3
    for seat in taken:
        seats.give_back(seat)
    assert seats.taken == 0


def test_the_seat_given_back_last_is_taken_first() -> None:
    seats = Seats(3)
    seats.take()
    second = seats.take()
    seats.give_back(second)
    assert seats.take() == second


async def test_a_seat_for_a_block_is_given_back_whatever_happens() -> None:
    seats = Seats(1, "places for requests")

    async def fail() -> None:
        async with seats.taken_for() as seat:
            assert (seat, seats.taken) == (0, 1)
            with pytest.raises(CapacityError, match="All 1 places for requests"):
                seats.take()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert seats.taken == 0


async def test_who_waits_gets_the_seat_that_is_given_back() -> None:
    seats = Seats(1)
    seat = seats.take()

    async def work() -> int:
        async with seats.taken_for() as mine:
            return mine

    waiting = [asyncio.ensure_future(work()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    seats.give_back(seat)
    assert await asyncio.gather(*waiting) == [0, 0, 0]
    assert seats.taken == 0


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.runtime.seats.PATIENCE_S", 0.0)
    seats = Seats(1)
    seats.take()
    with pytest.raises(CapacityError):
        async with seats.taken_for():
            pass
    assert seats.taken == 1


async def test_one_that_is_about_to_be_free_is_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.runtime.seats.PATIENCE_S", 0.0)
    vacancies = Vacancies()
    seats = Seats(1, vacancies=vacancies)
    seat = seats.take()
    asyncio.get_running_loop().call_later(0.05, seats.give_back, seat)
    assert await patiently(seats.take, vacancies, ending=lambda: True) == seat


async def test_who_gives_up_takes_nothing_along() -> None:
    seats = Seats(1)
    seat = seats.take()
    waiting = asyncio.ensure_future(patiently(seats.take, seats.vacancies))
    await asyncio.sleep(0)
    waiting.cancel()
    seats.give_back(seat)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert seats.taken == 0
