"""Seats: distinct, bounded, given back."""

from __future__ import annotations

import pytest

from vivavoce.errors import CapacityError
from vivavoce.runtime.seats import Seats


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


def test_a_seat_for_a_block_is_given_back_whatever_happens() -> None:
    seats = Seats(1, "places for requests")

    def fail() -> None:
        with seats.taken_for() as seat:
            assert (seat, seats.taken) == (0, 1)
            with pytest.raises(CapacityError, match="All 1 places for requests"):
                seats.take()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seats.taken == 0
