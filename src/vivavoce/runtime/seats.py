"""Places for work that goes on at once, live conversations above all.

Seat ``n`` of the conversations owns slot ``n`` of every language model, so a prompt's cache has one owner.

A client that hangs up and comes again at once is often faster than the end of what it hung up on: whoever finds every place
taken waits for a moment before it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from vivavoce.errors import CapacityError, RateLimitError

T = TypeVar("T")

PATIENCE_S = 0.5
"""How long one waits for a place that may be given back."""

SURE_PATIENCE_S = 5.0
"""How long one waits for a place whose holder is ending its work: an engine may be in the midst of a step."""


class Vacancies:
    """Tells those who wait whenever a place is given back."""

    def __init__(self) -> None:
        self._given_back = asyncio.Event()

    def announce(self) -> None:
        """A place is free, or a limit has room again."""
        self._given_back.set()
        self._given_back = asyncio.Event()

    async def next(self) -> None:
        """Until a place is given back after this was called."""
        await self._given_back.wait()


async def patiently(attempt: Callable[[], T], vacancies: Vacancies, *, ending: Callable[[], bool] = lambda: False) -> T:
    """What ``attempt`` gives as soon as it does not raise ``RateLimitError``; raises the last one when patience ends.

    Tried again whenever a place is given back; ``ending`` tells whether one is about to be.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        try:
            return attempt()
        except RateLimitError as error:
            refusal = error
        until = begun + (SURE_PATIENCE_S if ending() else PATIENCE_S)
        try:
            async with asyncio.timeout_at(until):
                await vacancies.next()
        except TimeoutError:
            raise refusal from None


class Seats:
    """A fixed number of seats. ``what`` names them in a refusal; ``vacancies`` is told when one is given back.

    The seat given back last is taken first: most of the next prompt is still in its slots.
    """

    def __init__(self, capacity: int, what: str = "conversation places", *, vacancies: Vacancies | None = None) -> None:
        self.capacity = capacity
        self._what = what
        self.vacancies = vacancies or Vacancies()
        self._free = list(range(capacity - 1, -1, -1))

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self.capacity - len(self._free)

    def require(self) -> None:
        """Raises ``CapacityError`` when no seat is free."""
        if not self._free:
            raise CapacityError(self._what, self.capacity)

    def take(self) -> int:
        """A seat, until it is given back. Raises ``CapacityError`` when none is free."""
        self.require()
        return self._free.pop()

    def give_back(self, seat: int) -> None:
        """Whoever had this seat needs it no longer."""
        self._free.append(seat)
        self.vacancies.announce()

    @asynccontextmanager
    async def taken_for(self) -> AsyncIterator[int]:
        """A seat for the length of an ``async with`` block, waited for if need be. Raises ``CapacityError``."""
        seat = await patiently(self.take, self.vacancies)
        try:
            yield seat
        finally:
            self.give_back(seat)
