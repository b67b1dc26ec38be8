"""Places for live conversations. Seat ``n`` owns slot ``n`` of every language model, so a prompt's cache has one owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vivavoce.errors import CapacityError


class Seats:
    """A fixed number of seats; one more is refused at once.

    The seat given back last is taken first: most of the next prompt is still in its slots.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = list(range(capacity - 1, -1, -1))

    @property
    def taken(self) -> int:
        """How many conversations are live."""
        return self.capacity - len(self._free)

    @contextmanager
    def take(self) -> Iterator[int]:
        """A seat for as long as the block runs. Raises ``CapacityError`` when none is free."""
        if not self._free:
            raise CapacityError("conversation places", self.capacity)
        seat = self._free.pop()
        try:
            yield seat
        finally:
            self._free.append(seat)
