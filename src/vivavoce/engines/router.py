"""A speaker made of speakers: who speaks a clause follows from the voice and the clause's language."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from vivavoce.closing import CloseStack
from vivavoce.engines.base import Speaker
from vivavoce.engines.guarded import failures_of, samples_of
from vivavoce.engines.levels import Levels
from vivavoce.errors import ClientError, EngineError
from vivavoce.types import Language, Samples, SpeakOptions, Voice

logger = logging.getLogger(__name__)

RATE_HZ = 24_000

_KANA = re.compile(r"[぀-ヿㇰ-ㇿｦ-ﾟ]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


class SpeakerRouter:
    """Routes each clause to an engine, and makes all voices equally loud (``Levels``).

    A speaker whose attribute ``levelled`` is true is left as loud as it is.

    The language a clause is spoken in is the first of these the voice has: the clause's own language (``zh-CN`` counts
    as ``zh``); the language of its script (kana: Japanese, Han: Chinese, anything else: English); the voice's first. So
    French, German or Spanish text is read by the English speaker, with an accent: no engine here has phonemes for them.

    The engine is the one the voice names for that language. When that engine is not loaded, the first loaded one (in
    the configured order) that speaks the language takes over with its first voice; this is logged once, at the start.
    """

    rate_hz = RATE_HZ

    def __init__(
        self,
        speakers: Mapping[str, Speaker],
        voices: Mapping[str, Voice],
        named: Callable[[str], Voice | None] = lambda name: None,
    ) -> None:
        """``speakers`` by engine name, in order of preference; ``voices`` by the name clients use.

        ``named`` knows the voice of a name that is not listed (an alias, a blend). ``find`` may be set to what brings a voice
        that is not at hand (``add``).

        A voice of a loaded engine that is not in ``voices`` can be named by its own name. Raises ``EngineError`` for a
        speaker of another rate.
        """
        for name, speaker in speakers.items():
            if speaker.rate_hz != RATE_HZ:
                raise EngineError(name, f"speaks at {speaker.rate_hz} Hz; speakers must give {RATE_HZ} Hz")
        self.speakers = speakers
        self._known = {**_own_voices(speakers), **voices}
        self.listed: Mapping[str, Voice] = {**voices, **self._known}
        """The voices everybody can name, without those that were added since."""
        self._named = named
        self._levels = Levels()
        self.find: Callable[[str], Awaitable[None]] = _nowhere
        used = {engine for voice in self._known.values() for engine, _ in voice.speakers.values()}
        if missing := sorted(used - speakers.keys()):
            logger.info("Not loaded: %s. Voices that use it are spoken by %s.", ", ".join(missing), ", ".join(speakers))

    @property
    def voices(self) -> Mapping[str, frozenset[Language]]:
        """The voices at hand, and what each speaks."""
        return {name: frozenset(voice.speakers) for name, voice in self._known.items()}

    def add(self, voice: Voice) -> None:
        """Put a voice at hand; replaces one of this name."""
        self._known[voice.id] = voice

    def remove(self, name: str) -> None:
        """A voice that was added is not at hand any more; it need not have been."""
        self._known.pop(name, None)

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """Yield the speech of one clause. Raises ``ClientError`` for an unknown voice, ``EngineError`` from the engine.

        A voice that is not at hand may be found once more by ``find``, which puts it there.
        """
        if options.voice not in self._known and self._named(options.voice) is None:
            await self.find(options.voice)
        engine, own_voice, spoken = self.route(text, options.voice, options.language)
        own = replace(options, voice=own_voice, language=spoken)
        speaker = self.speakers[engine]
        with failures_of(engine):
            async with aclosing(speaker.speak(text, own)) as pieces:
                async for piece in pieces:
                    samples = samples_of(engine, piece)
                    if not getattr(speaker, "levelled", False):
                        samples = self._levels.levelled(engine, own_voice, spoken, samples, RATE_HZ)
                    yield samples

    def route(self, text: str, voice: str, language: Language) -> tuple[str, str, Language]:
        """(engine, that engine's voice, language) for a clause. Raises as ``speak`` does."""
        known = self._known.get(voice) or self._named(voice)
        if known is None:
            raise ClientError(f"The voice '{voice}' is not valid.", code="invalid_value", param="voice")
        spoken = _spoken_language(text, language, known)
        engine, own_voice = known.speakers[spoken]
        if engine in self.speakers:
            return engine, own_voice, spoken
        for name, speaker in self.speakers.items():
            for candidate, languages in speaker.voices.items():
                if spoken in languages:
                    return name, candidate, spoken
        raise EngineError(engine, f"is not loaded, and no other speaker speaks '{spoken}' for the voice '{voice}'")

    async def close(self) -> None:
        """Close every speaker."""
        async with CloseStack() as stack:
            for speaker in self.speakers.values():
                stack.add(speaker)


def _spoken_language(text: str, language: Language, voice: Voice) -> Language:
    script = "ja" if _KANA.search(text) else "zh" if _HAN.search(text) else "en"
    wanted = (language, language.partition("-")[0], script)
    return next((choice for choice in wanted if choice in voice.speakers), next(iter(voice.speakers)))


async def _nowhere(voice: str) -> None:
    """There is nothing else to find."""


def _own_voices(speakers: Mapping[str, Speaker]) -> dict[str, Voice]:
    return {
        name: Voice(name, "female", f"{engine}'s own", dict.fromkeys(sorted(languages), (engine, name)))
        for engine, speaker in reversed(list(speakers.items()))
        for name, languages in speaker.voices.items()
    }
