"""The clauses of one reply, spoken one after the other: one that fails costs itself, not those around it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vivavoce.engines.base import Speaker
from vivavoce.errors import EngineError
from vivavoce.types import Samples, SpeakOptions

log = logging.getLogger(__name__)


class ClauseSpeaker:
    """Speaks clauses, and leaves out one whose engine fails, with a warning in the log.

    A speaker that fails at two clauses in a row, or at all there are, is broken: that is an ``EngineError``.
    """

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._failure: EngineError | None = None
        self._spoken = False

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """The speech of one clause; less of it, or none, when the engine fails. Raises ``EngineError``, ``ClientError``."""
        try:
            async with aclosing(self._speaker.speak(text, options)) as pieces:
                async for samples in pieces:
                    yield samples
        except EngineError as error:
            if self._failure is not None:
                raise
            log.warning("a clause of %d characters is left out: %s", len(text), error)
            self._failure = error
        else:
            self._failure, self._spoken = None, True

    def finish(self) -> None:
        """All clauses have been there. Raises ``EngineError`` when none could be spoken."""
        if self._failure is not None and not self._spoken:
            raise self._failure
