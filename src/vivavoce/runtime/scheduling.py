"""Who is next at an engine that does one thing at a time: the more urgent first, and among equals every owner in turn.

What is under way is not interrupted, so long work has to come in pieces. Less urgent work gets a turn at least as often as
``PATIENCE_S`` says, and never two in a row while more urgent work waits: nobody waits for ever.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum


class Urgency(IntEnum):
    """How urgent a piece of recognition is; the least value is the most urgent."""

    AWAITED = 0
    """A turn has ended, and its transcript is waited for."""

    LIVE = 1
    """A reading of what somebody is still saying."""

    LONG = 2
    """A piece of a turn, an item or a chat's recording that is too long to be read at once."""

    RECORDING = 3
    """A piece of a recording that is transcribed as such."""


PATIENCE_S = {Urgency.LIVE: 1.0, Urgency.LONG: 2.0, Urgency.RECORDING: 5.0}
"""How long a class waits for a turn while there is more urgent work."""

REMEMBERED_OWNERS = 1024


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the queue. ``owner`` stands for a client: any object. ``urgency`` may be raised while it waits."""

    urgency: Urgency
    owner: object
    begun: bool = field(default=False, init=False)
    """Whether its turn has come."""


class WorkQueue:
    """Lets ``parallel`` pieces of work through at once."""

    def __init__(self, parallel: int = 1) -> None:
        self._free = parallel
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._served: OrderedDict[object, int] = OrderedDict()
        self._turns = 0
        self._since: dict[Urgency, float] = {}
        self._yielded = False

    @asynccontextmanager
    async def turn(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for a turn of the ticket; it lasts as long as the ``async with`` block."""
        loop = asyncio.get_running_loop()
        if all(other.urgency is not ticket.urgency for other in self._waiting):
            self._since[ticket.urgency] = loop.time()
        granted = self._waiting[ticket] = loop.create_future()
        self._let_in()
        try:
            await granted
            yield
        finally:
            self._waiting.pop(ticket, None)
            if ticket.begun:
                self._free += 1
            self._let_in()

    def _let_in(self) -> None:
        """Give the turns away that are free."""
        now = asyncio.get_running_loop().time()
        while self._free:
            waiting = [ticket for ticket, granted in self._waiting.items() if not granted.done()]
            if not waiting:
                return
            ticket = self._next(waiting, now)
            self._waiting.pop(ticket).set_result(None)
            ticket.begun = True
            self._free -= 1
            self._turns += 1
            self._since[ticket.urgency] = now
            self._served[ticket.owner] = self._turns
            self._served.move_to_end(ticket.owner)
            while len(self._served) > REMEMBERED_OWNERS:
                self._served.popitem(last=False)

    def _next(self, waiting: list[Ticket], now: float) -> Ticket:
        urgency = min(ticket.urgency for ticket in waiting)
        impatience = {
            ticket.urgency: (now - self._since.get(ticket.urgency, now)) / PATIENCE_S[ticket.urgency]
            for ticket in waiting
            if ticket.urgency > urgency
        }
        most = max(impatience, key=impatience.__getitem__, default=urgency)
        self._yielded = not self._yielded and impatience.get(most, 0.0) >= 1.0
        if self._yielded:
            urgency = most
        return min(
            (ticket for ticket in waiting if ticket.urgency is urgency),
            key=lambda ticket: self._served.get(ticket.owner, 0),
        )
