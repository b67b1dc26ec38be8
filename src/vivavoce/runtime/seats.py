"""Places for work that goes on at once, live conversations above all.

Seat ``n`` of the conversations owns slot ``n`` of every language model, so a prompt's cache has one owner.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vivavoce.errors import CapacityError


class Seats:
    """A fixed number of seats; one more is refused at once. ``what`` names them in the refusal.

    The seat given back last is taken first: most of the next prompt is still in its slots.
    """

    def __init__(self, capacity: int, what: str = "conversation places") -> None:
        self.capacity = capacity
        self._what = what
        self._free = list(range(capacity - 1, -1, -1))

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self.capacity - len(self._free)

    def take(self) -> int:
        """A seat, until it is given back. Raises ``CapacityError`` when none is free."""
        if not self._free:
            raise CapacityError(self._what, self.capacity)
        return self._free.pop()

    def give_back(self, seat: int) -> None:
        """The conversation that had this seat is over."""
        self._free.append(seat)

    @contextmanager
    def taken_for(self) -> Iterator[int]:
        """A seat for the length of a ``with`` block. Raises ``CapacityError``."""
        seat = self.take()
        try:
            yield seat
        finally:
            self.give_back(seat)
