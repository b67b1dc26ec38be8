"""The readings of one conversation: what somebody is still saying is read again and again, the newest first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from vivavoce.errors import EngineError
from vivavoce.runtime.ending import Work
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.scheduling import Ticket, Urgency
from vivavoce.session.signals import FinishReading, Overhear, Overheard
from vivavoce.types import TranscribeOptions

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _UnderWay:
    """A reading that waits for its turn or has it. One that took the place of another is not replaced itself."""

    work: Overhear
    ticket: Ticket
    replaces: bool
    task: asyncio.Task[None]


class Readings:
    """At most one reading is under way. ``take`` is told what it found; ``spawn`` runs a task as long as the conversation.

    A newer reading takes its place, because it may be the one that becomes the transcript. But not twice in a row: where the
    recogniser needs longer than people speak without a pause, no reading would ever be finished.
    """

    def __init__(
        self,
        recognition: Recognition,
        owner: object,
        *,
        take: Callable[[Overheard], None],
        spawn: Callable[[Work], asyncio.Task[None]],
    ) -> None:
        self._recognition = recognition
        self._owner = owner
        self._take = take
        self._spawn = spawn
        self._now: _UnderWay | None = None
        self._next: Overhear | None = None

    def ask(self, work: Overhear) -> None:
        """Read this, and forget what has been asked for and has not begun."""
        now = self._now
        if now is not None and now.replaces and now.ticket.begun:
            self._next = work
            return
        replaces = now is not None and (now.ticket.begun or now.replaces)
        self._begin(work, Urgency.LIVE, replaces=replaces)

    def finish(self, work: FinishReading) -> None:
        """The turn has ended with this reading, which is its transcript: now it is waited for."""
        now, wanted = self._now, (work.item_id, work.until)
        if now is not None and (now.work.item_id, now.work.until) == wanted:
            now.ticket.urgency = Urgency.AWAITED
        elif self._next is not None and (self._next.item_id, self._next.until) == wanted:
            self._begin(self._next, Urgency.AWAITED, replaces=False)
        else:
            self._take(Overheard(work.item_id, work.until, None))

    def close(self) -> None:
        """The conversation is over: nothing here holds it any more."""
        self._now = self._next = None
        self._take, self._spawn = _nobody, _not_any_more

    def _begin(self, work: Overhear, urgency: Urgency, *, replaces: bool) -> None:
        if self._now is not None:
            self._now.task.cancel()
        self._next = None
        ticket = Ticket(urgency, self._owner)
        self._now = _UnderWay(work, ticket, replaces, self._spawn(partial(self._read, work, ticket)))

    async def _read(self, work: Overhear, ticket: Ticket) -> None:
        transcript = None
        try:
            options = TranscribeOptions(work.language, work.prompt)
            transcript = await self._recognition.piece(work.samples, options, ticket)
        except EngineError as error:
            log.warning("item %s: reading: %s", work.item_id, error)
        self._now = None
        if self._next is not None:
            self._begin(self._next, Urgency.LIVE, replaces=False)
        self._take(Overheard(work.item_id, work.until, transcript))


def _nobody(heard: Overheard) -> None:
    """Takes what is found when the conversation is over."""


def _not_any_more(work: Work) -> asyncio.Task[None]:
    raise RuntimeError("the conversation is over")
