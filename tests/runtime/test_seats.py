"""Seats: distinct, bounded, always given back."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from vivavoce.errors import CapacityError
from vivavoce.runtime.seats import Seats


def test_seats_are_distinct_and_bounded() -> None:
    seats = Seats(3)
    with ExitStack() as stack:
        assert {stack.enter_context(seats.take()) for _ in range(3)} == {0, 1, 2}
        with pytest.raises(CapacityError) as refused, seats.take():
            pass
        assert refused.value.capacity == 3
    assert seats.taken == 0


def test_a_failure_gives_the_seat_back() -> None:
    seats = Seats(1)
    with pytest.raises(ZeroDivisionError), seats.take():
        raise ZeroDivisionError
    assert seats.taken == 0
