"""The recogniser, shared: transcripts that are waited for come first, readings while somebody speaks use what is left."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vivavoce.engines.base import Recognizer
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples, Transcript, TranscriptDelta

log = logging.getLogger(__name__)


class Recognition:
    """One for all sessions of a process. ``rate_hz`` is what it hears at."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.rate_hz = recognizer.rate_hz
        self._recognizer = recognizer
        self._busy = 0

    async def transcript(
        self, samples: Samples, *, language: Language | None = None, prompt: str | None = None
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """As ``Recognizer.transcribe``. Raises ``EngineError``."""
        self._busy += 1
        try:
            async with aclosing(self._recognizer.transcribe(samples, language=language, prompt=prompt)) as events:
                async for event in events:
                    yield event
        finally:
            self._busy -= 1

    async def reading(
        self, samples: Samples, *, language: Language | None = None, prompt: str | None = None
    ) -> Transcript | None:
        """The text of an unfinished utterance; ``None`` at once while the recogniser is busy, and when it fails.

        Whoever speaks can do without: the transcript is made when they have finished.
        """
        if self._busy:
            return None
        try:
            async with aclosing(self.transcript(samples, language=language, prompt=prompt)) as events:
                async for event in events:
                    if isinstance(event, Transcript):
                        return event
        except EngineError as error:
            log.warning("reading: %s", error)
        return None

    def close(self) -> None:
        """Close the recogniser."""
        self._recognizer.close()
