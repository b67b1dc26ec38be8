"""Places for live conversations. Seat ``n`` owns slot ``n`` of every language model, so a prompt's cache has one owner."""

from __future__ import annotations

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

    def take(self) -> int:
        """A seat, until it is given back. Raises ``CapacityError`` when none is free."""
        if not self._free:
            raise CapacityError("conversation places", self.capacity)
        return self._free.pop()

    def give_back(self, seat: int) -> None:
        """The conversation that had this seat is over."""
        self._free.append(seat)
