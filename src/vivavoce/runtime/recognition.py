"""The recogniser, shared: transcripts a conversation waits for come first; then readings of those who still speak; then the
pieces of recordings, one at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, suppress

from vivavoce.engines.base import Recognizer
from vivavoce.errors import EngineError
from vivavoce.types import Samples, TranscribeOptions, Transcript, TranscriptDelta

log = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""How long a piece of a recording waits for conversations to fall silent: then it has its turn, or it would never end."""


class Recognition:
    """One for all sessions of a process. ``rate_hz`` is what it hears at."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.rate_hz = recognizer.rate_hz
        self._recognizer = recognizer
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._one_piece = asyncio.Lock()

    async def transcript(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """As ``Recognizer.transcribe``. Raises ``EngineError``."""
        self._busy += 1
        self._idle.clear()
        try:
            async with aclosing(self._recognizer.transcribe(samples, options)) as events:
                async for event in events:
                    yield event
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    async def reading(self, samples: Samples, options: TranscribeOptions) -> Transcript | None:
        """The text of an unfinished utterance; ``None`` at once while the recogniser is busy, and when it fails.

        Whoever speaks can do without: the transcript is made when they have finished.
        """
        if self._busy:
            return None
        try:
            async with aclosing(self.transcript(samples, options)) as events:
                async for event in events:
                    if isinstance(event, Transcript):
                        return event
        except EngineError as error:
            log.warning("reading: %s", error)
        return None

    async def piece(self, samples: Samples, options: TranscribeOptions) -> Transcript:
        """The transcript of a piece of a recording, as ``Recognizer.transcribe``. Raises ``EngineError``.

        Recordings take turns piece by piece, and let conversations go first: one of those waits for a piece under way at
        most, never for two.
        """
        async with self._one_piece:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._idle.wait()
            async with aclosing(self._recognizer.transcribe(samples, options)) as events:
                async for event in events:
                    if isinstance(event, Transcript):
                        return event
        raise EngineError("recognizer", "ended without a transcript")

    def close(self) -> Awaitable[None] | None:
        """Close the recogniser."""
        return self._recognizer.close()
