"""Slots for work that goes on at once, live conversations above all.

Slot ``n`` of the conversations owns slot ``n`` of every language model, so a prompt's cache has one owner.

A client that hangs up and comes again at once is often faster than the end of what it hung up on: whoever finds every slot
taken waits for a moment before it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from vivavoce.errors import CapacityError, RateLimitError, ShareError
from vivavoce.runtime.shares import FairShares

T = TypeVar("T")

NOBODY = ""
"""Who takes a slot in nobody's name, and has no share to keep to."""

SLOT_TIMEOUT_S = 0.5
"""How long one waits for a slot that may be given back."""

ENDING_SLOT_TIMEOUT_S = 5.0
"""How long one waits for a slot whose holder is ending its work: an engine may be in the midst of a step."""


class SlotFreed:
    """Tells those who wait whenever a slot is given back."""

    def __init__(self) -> None:
        self._given_back = asyncio.Event()

    def announce(self) -> None:
        """A slot is free, or a limit has room again."""
        self._given_back.set()
        self._given_back = asyncio.Event()

    async def next(self) -> None:
        """Until a slot is given back after this was called."""
        await self._given_back.wait()


async def take_when_free(
    attempt: Callable[[], T],
    slot_freed: SlotFreed,
    *,
    ending: Callable[[], bool] = lambda: False,
    timeout_s: float | None = None,
) -> T:
    """What ``attempt`` gives as soon as it does not raise ``RateLimitError``; raises the last one when the time is up.

    Tried again whenever a slot is given back; ``ending`` tells whether one is about to be. ``timeout_s`` stands for what
    follows from that.
    """
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    while True:
        try:
            return attempt()
        except RateLimitError as error:
            refusal = error
        deadline = started_at + (timeout_s or (ENDING_SLOT_TIMEOUT_S if ending() else SLOT_TIMEOUT_S))
        try:
            async with asyncio.timeout_at(deadline):
                await slot_freed.next()
        except TimeoutError:
            raise refusal from None


class Slots:
    """A fixed number of slots. ``resource`` names them in a refusal; ``slot_freed`` is told when one is given back.

    The slot given back last is taken first: most of the next prompt is still in its slots. ``multiple_owners`` tells whether
    there are owners who share them: see ``FairShares``.
    """

    def __init__(
        self,
        capacity: int,
        resource: str = "conversation places",
        *,
        slot_freed: SlotFreed | None = None,
        multiple_owners: Callable[[], bool] = lambda: False,
    ) -> None:
        self.capacity = capacity
        self._resource = resource
        self.slot_freed = slot_freed or SlotFreed()
        self._free = list(range(capacity - 1, -1, -1))
        self._shares = FairShares(capacity, multiple_owners)

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self.capacity - len(self._free)

    def require(self, owner: str = NOBODY) -> None:
        """Raises ``CapacityError`` when no slot is free, and ``ShareError`` when none is for this owner."""
        if self._shares.full():
            raise CapacityError(self._resource, self.capacity)
        if owner != NOBODY and not self._shares.fits(owner):
            raise ShareError(self._resource, self._shares.held(owner), self.capacity)

    def take(self, owner: str = NOBODY) -> int:
        """A slot, until it is given back. Raises as ``require`` does."""
        self.require(owner)
        self._shares.take(owner)
        return self._free.pop()

    def give_back(self, slot: int, owner: str = NOBODY) -> None:
        """Whoever had this slot needs it no longer."""
        self._free.append(slot)
        self._shares.give_back(owner)
        self.slot_freed.announce()

    def below_fair_share(self, owner: str) -> bool:
        """Whether others hold what this owner may have: then it is worth waiting for."""
        return self._shares.held(owner) < self._shares.fair_share(owner)

    @asynccontextmanager
    async def hold(self, owner: str = NOBODY, *, timeout_s: float | None = None) -> AsyncIterator[int]:
        """A slot for the length of an ``async with`` block, waited for if need be: for a moment, longer by an owner others
        have left too little, and ``timeout_s`` where that is given. Raises as ``require`` does.
        """
        slot = await take_when_free(
            lambda: self.take(owner),
            self.slot_freed,
            ending=lambda: self._shares.multiple_owners and self.below_fair_share(owner),
            timeout_s=timeout_s,
        )
        try:
            yield slot
        finally:
            self.give_back(slot, owner)
