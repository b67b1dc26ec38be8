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

from vivavoce.errors import CapacityError, RateLimitError, ShareError
from vivavoce.runtime.shares import Shares

T = TypeVar("T")

NOBODY = ""
"""Who takes a place in nobody's name, and has no share to keep to."""

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


async def patiently(
    attempt: Callable[[], T],
    vacancies: Vacancies,
    *,
    ending: Callable[[], bool] = lambda: False,
    patience_s: float | None = None,
) -> T:
    """What ``attempt`` gives as soon as it does not raise ``RateLimitError``; raises the last one when patience ends.

    Tried again whenever a place is given back; ``ending`` tells whether one is about to be. ``patience_s`` stands for what
    follows from that.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        try:
            return attempt()
        except RateLimitError as error:
            refusal = error
        until = begun + (patience_s or (SURE_PATIENCE_S if ending() else PATIENCE_S))
        try:
            async with asyncio.timeout_at(until):
                await vacancies.next()
        except TimeoutError:
            raise refusal from None


class Seats:
    """A fixed number of seats. ``what`` names them in a refusal; ``vacancies`` is told when one is given back.

    The seat given back last is taken first: most of the next prompt is still in its slots. ``several`` tells whether there
    are owners who share them: see ``Shares``.
    """

    def __init__(
        self,
        capacity: int,
        what: str = "conversation places",
        *,
        vacancies: Vacancies | None = None,
        several: Callable[[], bool] = lambda: False,
    ) -> None:
        self.capacity = capacity
        self._what = what
        self.vacancies = vacancies or Vacancies()
        self._free = list(range(capacity - 1, -1, -1))
        self._shares = Shares(capacity, several)

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self.capacity - len(self._free)

    def require(self, owner: str = NOBODY) -> None:
        """Raises ``CapacityError`` when no seat is free, and ``ShareError`` when none is for this owner."""
        if self._shares.full():
            raise CapacityError(self._what, self.capacity)
        if owner != NOBODY and not self._shares.fits(owner):
            raise ShareError(self._what, self._shares.held(owner), self.capacity)

    def take(self, owner: str = NOBODY) -> int:
        """A seat, until it is given back. Raises as ``require`` does."""
        self.require(owner)
        self._shares.take(owner)
        return self._free.pop()

    def give_back(self, seat: int, owner: str = NOBODY) -> None:
        """Whoever had this seat needs it no longer."""
        self._free.append(seat)
        self._shares.give_back(owner)
        self.vacancies.announce()

    def below_even_part(self, owner: str) -> bool:
        """Whether others hold what this owner may have: then it is worth waiting for."""
        return self._shares.held(owner) < self._shares.even_part(owner)

    @asynccontextmanager
    async def taken_for(self, owner: str = NOBODY, *, patience_s: float | None = None) -> AsyncIterator[int]:
        """A seat for the length of an ``async with`` block, waited for if need be: for a moment, longer by an owner others
        have left too little, and ``patience_s`` where that is given. Raises as ``require`` does.
        """
        seat = await patiently(
            lambda: self.take(owner),
            self.vacancies,
            ending=lambda: self._shares.several and self.below_even_part(owner),
            patience_s=patience_s,
        )
        try:
            yield seat
        finally:
            self.give_back(seat, owner)
