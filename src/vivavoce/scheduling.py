"""Who is next at what does one thing at a time, or a few: the more urgent first, and among equals every owner in turn, and of
an owner's conversations each in turn.

What is under way is not interrupted, so long work has to come in pieces. Less urgent work gets a turn at least as often as
``GUARANTEED_TURN_EVERY_S`` says, and never two in a row while more urgent work waits: nobody waits for ever.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import IntEnum


class Urgency(IntEnum):
    """How urgent a piece of recognition is; the least value is the most urgent."""

    ENDED_TURN = 0
    """A turn has ended, and its transcript is waited for."""

    LIVE = 1
    """A partial transcript of what somebody is still saying."""

    LONG = 2
    """A piece of a turn or a chat's recording that is too long to be read at once."""

    RECORDING = 3
    """A piece of what nobody has just said: a recording that is transcribed as such, audio a client has put into an item."""


GUARANTEED_TURN_EVERY_S = {Urgency.LIVE: 1.0, Urgency.LONG: 2.0, Urgency.RECORDING: 5.0}
"""How long a class waits for a turn while there is more urgent work."""

RECORDING_INTERVAL_S = 2.0
"""How far apart an owner's turns for what nobody has just said begin while somebody else speaks or is answered: half of the
time is left to them.
"""

REMEMBERED_OWNERS = 1024


@dataclass(frozen=True, slots=True)
class WorkOwner:
    """Whose work something is: an owner's, and of all their work that of one conversation or request."""

    owner: object
    work: object


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the queue. ``owner`` stands for a client: ``WorkOwner``, or any object that is one by itself. ``urgency`` may
    be raised while it waits.
    """

    urgency: Urgency
    owner: object
    granted: bool = field(default=False, init=False)
    """Whether its turn has come."""


class WorkQueue:
    """Lets ``parallel`` pieces of work through at once.

    While there are ``multiple_owners``, none of them has all turns at once for what nobody waits for in a conversation. While a
    conversation is ``interactive`` (somebody speaks, or is being answered), others' turns for what nobody has just said come
    more slowly: what is under way as somebody's turn ends cannot be interrupted, and takes the processor from their answer.
    """

    def __init__(self, parallel: int = 1, *, multiple_owners: Callable[[], bool] = lambda: True) -> None:
        self._parallel = parallel
        self._multiple_owners = multiple_owners
        self._working: Counter[object] = Counter()
        self._free = parallel
        self._interactive: Counter[object] = Counter()
        self._recording_at: OrderedDict[object, float] = OrderedDict()
        self._later: asyncio.TimerHandle | None = None
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._served: OrderedDict[object, int] = OrderedDict()
        self._turns = 0
        self._since: dict[Urgency, float] = {}
        self._yielded = False

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for their turn."""
        return sum(not ticket.granted for ticket in self._waiting)

    @asynccontextmanager
    async def turn(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for a turn of the ticket; it lasts as long as the ``async with`` block."""
        loop = asyncio.get_running_loop()
        if all(other.urgency is not ticket.urgency for other in self._waiting):
            self._since[ticket.urgency] = loop.time()
        granted = self._waiting[ticket] = loop.create_future()
        self._grant_turns()
        try:
            await granted
            yield
        finally:
            self._waiting.pop(ticket, None)
            if ticket.granted:
                self._free += 1
                self._working[_account(ticket)] -= 1
                self._working += Counter()  # forget who has none
            self._grant_turns()

    @contextmanager
    def interactive(self, owner: object) -> Iterator[None]:
        """An interactive conversation, or request, for the length of a ``with`` block."""
        self._interactive[owner] += 1
        try:
            yield
        finally:
            self._interactive[owner] -= 1
            self._interactive += Counter()
            self._grant_turns()

    def _grant_turns(self) -> None:
        """Give the turns away that are free."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._later is not None:
            self._later.cancel()
            self._later = None
        while self._free:
            waiting = [
                ticket
                for ticket, granted in self._waiting.items()
                if not granted.done() and not self._beyond_share(ticket)
            ]
            postponed = {ticket: left_s for ticket in waiting if (left_s := self._postponed_s(ticket, now)) > 0}
            waiting = [ticket for ticket in waiting if ticket not in postponed]
            if not waiting:
                if postponed:
                    self._later = loop.call_later(min(postponed.values()), self._grant_turns)
                return
            ticket = self._next(waiting, now)
            self._waiting.pop(ticket).set_result(None)
            ticket.granted = True
            self._free -= 1
            self._turns += 1
            self._since[ticket.urgency] = now
            if ticket.urgency >= Urgency.RECORDING:
                self._recording_at[_account(ticket)] = now
                self._recording_at.move_to_end(_account(ticket))
            self._working[_account(ticket)] += 1
            for owner in (_account(ticket), ticket.owner):
                self._served[owner] = self._turns
                self._served.move_to_end(owner)
            for remembered in (self._served, self._recording_at):
                while len(remembered) > REMEMBERED_OWNERS:
                    remembered.popitem(last=False)

    def _next(self, waiting: list[Ticket], now: float) -> Ticket:
        urgency = min(ticket.urgency for ticket in waiting)
        impatience = {
            ticket.urgency: (now - self._since.get(ticket.urgency, now)) / GUARANTEED_TURN_EVERY_S[ticket.urgency]
            for ticket in waiting
            if ticket.urgency > urgency
        }
        most_impatient = max(impatience, key=impatience.__getitem__, default=urgency)
        self._yielded = not self._yielded and impatience.get(most_impatient, 0.0) >= 1.0
        if self._yielded:
            urgency = most_impatient
        return min(
            (ticket for ticket in waiting if ticket.urgency is urgency),
            key=lambda ticket: (self._served.get(_account(ticket), 0), self._served.get(ticket.owner, 0)),
        )

    def _postponed_s(self, ticket: Ticket, now: float) -> float:
        """For how long it waits although nothing more urgent does."""
        if ticket.urgency < Urgency.RECORDING or not self._interactive.keys() - {ticket.owner}:
            return 0.0
        return self._recording_at.get(_account(ticket), now - RECORDING_INTERVAL_S) + RECORDING_INTERVAL_S - now

    def _beyond_share(self, ticket: Ticket) -> bool:
        """Whether its owner would have all turns with it."""
        return (
            self._parallel > 1
            and ticket.urgency >= Urgency.LONG
            and self._working[_account(ticket)] >= self._parallel - 1
            and self._multiple_owners()
        )


def _account(ticket: Ticket) -> object:
    return ticket.owner.owner if isinstance(ticket.owner, WorkOwner) else ticket.owner
