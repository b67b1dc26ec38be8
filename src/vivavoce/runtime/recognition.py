"""The recogniser, shared by all conversations, requests and recordings of a process: see ``Urgency`` for who goes first."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractContextManager, aclosing

from vivavoce.engines.base import Recognizer
from vivavoce.errors import EngineError
from vivavoce.runtime.scheduling import Ticket, WorkQueue
from vivavoce.types import Samples, TranscribeOptions, Transcript, TranscriptDelta


class Recognition:
    """One for all sessions of a process. ``rate_hz`` is what it hears at.

    It hears as much at once as the recogniser says it can (``parallel``, if it has that), and one utterance if it says nothing.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self.rate_hz = recognizer.rate_hz
        self._recognizer = recognizer
        self._queue = WorkQueue(getattr(recognizer, "parallel", 1))

    async def transcript(
        self, samples: Samples, options: TranscribeOptions, ticket: Ticket
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """As ``Recognizer.transcribe``, when it is the ticket's turn. Raises ``EngineError``."""
        async with self._queue.turn(ticket), aclosing(self._recognizer.transcribe(samples, options)) as events:
            async for event in events:
                yield event

    async def piece(self, samples: Samples, options: TranscribeOptions, ticket: Ticket) -> Transcript:
        """Only the transcript, when it is whole. Raises ``EngineError``."""
        async with aclosing(self.transcript(samples, options, ticket)) as events:
            async for event in events:
                if isinstance(event, Transcript):
                    return event
        raise EngineError("recognizer", "ended without a transcript")

    def attended(self, whose: object) -> AbstractContextManager[None]:
        """Somebody speaks, or is being answered, for the length of a ``with`` block: see ``WorkQueue``."""
        return self._queue.attended(whose)

    def close(self) -> Awaitable[None] | None:
        """Close the recogniser."""
        return self._recognizer.close()
