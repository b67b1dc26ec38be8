"""The clauses of one reply, spoken one after the other: one that fails costs itself, not those around it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Set
from contextlib import aclosing
from dataclasses import replace
from types import MappingProxyType

from vivavoce.audio.silence import silence
from vivavoce.engines.base import Synthesizer, controls_of
from vivavoce.errors import EngineError
from vivavoce.speaking.delivery import beyond
from vivavoce.text.clauses import Clause
from vivavoce.text.languages import foreign_language, partly_unreadable, unreadable
from vivavoce.text.speech_markup import has_unsupported
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


class ClauseSynthesizer:
    """Speaks clauses, and leaves out one whose engine fails, with a warning in the log.

    A synthesizer that fails at two clauses in a row, or at all there are, is broken: that is an ``EngineError``.
    """

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer
        self._failure: EngineError | None = None
        self._spoken = False

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """The speech of one clause; less of it, or none, when the engine fails. Raises ``EngineError``, ``ClientError``."""
        try:
            async with aclosing(self._synthesizer.speak(text, options)) as pieces:
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
            yield silence(before_ms, self._synthesizer.rate_hz)
        async with aclosing(self.speak(clause.spoken, options)) as pieces:
            async for samples in pieces:
                yield samples
        if after_ms:
            yield silence(after_ms, self._synthesizer.rate_hz)

    def left_undone(self, options: SpeakOptions) -> tuple[str, ...]:
        """What of its style the voice cannot do, by name."""
        if not options.style.needs:
            return ()
        return beyond(options.style, controls_of(self._synthesizer, options.voice, options.language))

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
        self._notice_given = False
        self._read: list[str] = []
        self._markup = False

    @property
    def not_applied(self) -> tuple[str, ...]:
        """What the voice could not do with the clauses so far: ``language``, ``markup``."""
        text = " ".join(self._read)
        foreign = self._notice_given or foreign_language(text, self._languages) is not None
        return ("language",) * (foreign or partly_unreadable(text, self._languages)) + ("markup",) * self._markup

    def readable(self, clause: Clause) -> Clause:
        """The clause to speak; with nothing to say (``spoken`` is empty) when that was said before."""
        self._markup = self._markup or has_unsupported(clause.text)
        if not unreadable(clause.spoken, self._languages):
            self._read.append(clause.spoken)
            return clause
        choices = (self._language, "en", *self._languages)
        language = next(
            (candidate for candidate in choices if candidate in UNREADABLE and candidate in self._languages), None
        )
        notice_given, self._notice_given = self._notice_given, True
        return replace(
            clause, spoken="" if notice_given or language is None else UNREADABLE[language], language=language or "en"
        )
