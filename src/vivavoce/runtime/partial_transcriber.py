"""The partial transcripts of one conversation: what somebody is still saying is read again and again, the newest first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from vivavoce.errors import EngineError
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.session_end import Work, ignore, refuse_work
from vivavoce.scheduling import Ticket, Urgency
from vivavoce.session.inputs import PartialTranscript
from vivavoce.session.outputs import AwaitPartialTranscript, TranscribePartially
from vivavoce.types import TranscribeOptions

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _UnderWay:
    """A partial transcript that waits for its turn or has it. One that took the place of another is not replaced itself."""

    work: TranscribePartially
    ticket: Ticket
    replaces: bool
    task: asyncio.Task[None]


class PartialTranscriber:
    """At most one partial transcript is under way. ``receive`` is told what it found; ``spawn`` runs a task as long as the
    conversation.

    A newer partial transcript takes its place, because it may be the one that becomes the transcript. But not twice in a row:
    where the recogniser needs longer than people speak without a pause, no partial transcript would ever be finished.
    """

    def __init__(
        self,
        recognition: Recognition,
        owner: object,
        *,
        receive: Callable[[PartialTranscript], None],
        spawn: Callable[[Work], asyncio.Task[None]],
    ) -> None:
        self._recognition = recognition
        self._owner = owner
        self._receive = receive
        self._spawn = spawn
        self._current: _UnderWay | None = None
        self._next: TranscribePartially | None = None

    def request(self, work: TranscribePartially) -> None:
        """Read this, and forget what has been asked for and has not begun."""
        current = self._current
        if current is not None and current.replaces and current.ticket.granted:
            self._next = work
            return
        replaces = current is not None and (current.ticket.granted or current.replaces)
        self._begin(work, Urgency.LIVE, replaces=replaces)

    def finish(self, work: AwaitPartialTranscript) -> None:
        """The turn has ended with this partial transcript, which is its transcript: now it is waited for."""
        current, requested = self._current, (work.item_id, work.until)
        if current is not None and (current.work.item_id, current.work.until) == requested:
            current.ticket.urgency = Urgency.ENDED_TURN
        elif self._next is not None and (self._next.item_id, self._next.until) == requested:
            self._begin(self._next, Urgency.ENDED_TURN, replaces=False)
        else:
            self._receive(PartialTranscript(work.item_id, work.until, None))

    def close(self) -> None:
        """The conversation is over: nothing here holds it any more."""
        self._current = self._next = None
        self._receive, self._spawn = ignore, refuse_work

    def _begin(self, work: TranscribePartially, urgency: Urgency, *, replaces: bool) -> None:
        if self._current is not None:
            self._current.task.cancel()
        self._next = None
        ticket = Ticket(urgency, self._owner)
        self._current = _UnderWay(work, ticket, replaces, self._spawn(partial(self._transcribe, work, ticket)))

    async def _transcribe(self, work: TranscribePartially, ticket: Ticket) -> None:
        transcript = None
        try:
            options = TranscribeOptions(work.language, work.prompt, encoding=work.perceive)
            transcript = await self._recognition.piece(work.samples, options, ticket)
        except EngineError as error:
            log.warning("item %s: reading: %s", work.item_id, error)
        self._current = None
        if self._next is not None:
            self._begin(self._next, Urgency.LIVE, replaces=False)
        self._receive(PartialTranscript(work.item_id, work.until, transcript))
