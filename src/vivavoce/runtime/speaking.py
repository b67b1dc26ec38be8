"""The clauses of one reply, spoken one after the other: one that fails costs itself, not those around it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Set
from contextlib import aclosing
from dataclasses import replace
from types import MappingProxyType

from vivavoce.audio.silence import silence
from vivavoce.engines.base import Speaker
from vivavoce.errors import EngineError
from vivavoce.runtime.clauses import Clause
from vivavoce.text.languages import unreadable
from vivavoce.types import Language, Samples, SpeakOptions

UNREADABLE: Mapping[Language, str] = MappingProxyType(
    {
        "en": "The next part is in a language I cannot speak. You can read it in the text.",
        "zh": "接下来的内容我不会读，请看文字。",
        "ja": "続きは私が話せない言語です。文字でご覧ください。",
    }
)
"""What is said in place of text no voice has sounds for."""

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

    async def speak_with_pauses(self, clause: Clause, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """The speech of ``clause`` between the pauses that are asked for around it. Raises as ``speak`` does."""
        before_ms, after_ms = clause.pauses_ms
        if before_ms:
            yield silence(before_ms, self._speaker.rate_hz)
        async with aclosing(self.speak(clause.spoken, options)) as pieces:
            async for samples in pieces:
                yield samples
        if after_ms:
            yield silence(after_ms, self._speaker.rate_hz)

    def finish(self) -> None:
        """All clauses have been there. Raises ``EngineError`` when none could be spoken."""
        if self._failure is not None and not self._spoken:
            raise self._failure


class ReadableClauses:
    """What is said of the clauses of a reply by a voice that does not speak every language.

    In place of what it has no sounds for it says so: once, in the user's language if it speaks that.
    """

    def __init__(self, languages: Set[Language] | None, language: Language) -> None:
        """``languages`` of the voice, where they are known; ``language`` of the user."""
        self._languages = languages or UNREADABLE.keys()
        self._language = language.partition("-")[0]
        self._told = False

    def said(self, clause: Clause) -> Clause:
        """The clause to speak; with nothing to say (``spoken`` is empty) when that was said before."""
        if not unreadable(clause.spoken, self._languages):
            return clause
        choices = (self._language, "en", *self._languages)
        language = next((one for one in choices if one in UNREADABLE and one in self._languages), None)
        told, self._told = self._told, True
        return replace(
            clause, spoken="" if told or language is None else UNREADABLE[language], language=language or "en"
        )
