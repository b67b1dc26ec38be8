"""A synthesizer made of synthesizers: who speaks a clause follows from the voice and the clause's language."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from typing_extensions import override

from vivavoce.audio.styled import StyledSound
from vivavoce.closing import CloseStack
from vivavoce.engines.base import Synthesizer, controls_of
from vivavoce.engines.error_wrappers import failures_of, samples_of
from vivavoce.engines.levels import Levels, louder
from vivavoce.engines.speech_cache import SpeechCache
from vivavoce.errors import ClientError, EngineError
from vivavoce.speaking_style import ALL_CONTROLS, Control
from vivavoce.types import Language, Samples, SpeakOptions, Voice

logger = logging.getLogger(__name__)

RATE_HZ = 24_000

SLOWEST, FASTEST = 0.25, 4.0
"""Speeds an engine is asked for."""

_KANA = re.compile(r"[぀-ヿㇰ-ㇿｦ-ﾟ]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


class SynthesizerRouter(Synthesizer):
    """Routes each clause to an engine, and makes all voices equally loud (``Levels``).

    A synthesizer whose attribute ``levelled`` is true is left as loud as it is. One that has voices for names that are others'
    (``stand_ins``) speaks in their place.

    The language a clause is spoken in is the first of these the voice has: the clause's own language (``zh-CN`` counts
    as ``zh``); the language of its script (kana: Japanese, Han: Chinese, anything else: English); the voice's first. So
    French, German or Spanish text is read by the English speaker, with an accent: no engine here has phonemes for them.

    The engine is the one the voice names for that language. When that engine is not loaded, the first loaded one (in
    the configured order) that speaks the language takes over with its first voice; this is logged once, at the start.
    """

    rate_hz = RATE_HZ

    def __init__(
        self,
        synthesizers: Mapping[str, Synthesizer],
        voices: Mapping[str, Voice],
        resolve_voice: Callable[[str], Voice | None] = lambda name: None,
    ) -> None:
        """``synthesizers`` by engine name, in order of preference; ``voices`` by the name clients use.

        ``resolve_voice`` gives the voice of a name that is not listed (an alias, a blend). ``find_missing`` may be told what
        loads a voice that is not loaded yet.

        A voice of a loaded engine that is not in ``voices`` can be named by its own name. Raises ``EngineError`` for a
        synthesizer of another rate.
        """
        for name, synthesizer in synthesizers.items():
            if synthesizer.rate_hz != RATE_HZ:
                raise EngineError(name, f"speaks at {synthesizer.rate_hz} Hz; speakers must give {RATE_HZ} Hz")
        self.synthesizers = synthesizers
        self._voices = {**_own_voices(synthesizers), **voices}
        self.listed: Mapping[str, Voice] = {**voices, **self._voices}
        """The voices everybody can name, without those that were added since."""
        self._resolve_voice = resolve_voice
        self._levels = Levels()
        self._cache = SpeechCache()
        self.fallbacks: Counter[str] = Counter()
        """Clauses an engine elsewhere failed at and another one spoke, by the one that failed."""
        self._find: Callable[[str], Awaitable[None]] = _nowhere
        used = {engine for voice in self._voices.values() for engine, _ in voice.synthesizers.values()}
        if missing := sorted(used - synthesizers.keys()):
            logger.info(
                "Not loaded: %s. Voices that use it are spoken by %s.", ", ".join(missing), ", ".join(synthesizers)
            )

    @property
    @override
    def voices(self) -> Mapping[str, frozenset[Language]]:
        """The voices at hand, and what each speaks."""
        return {name: frozenset(voice.synthesizers) for name, voice in self._voices.items()}

    def restricted(self, synthesizers: Mapping[str, Synthesizer]) -> SynthesizerRouter:
        """A router of other ``synthesizers`` for the same voices, those included that are added or removed here.

        Raises ``EngineError`` as making one does.
        """
        router = SynthesizerRouter(synthesizers, {}, self._resolve_voice)
        for name, voice in router._voices.items():
            self._voices.setdefault(name, voice)
        router._voices, router.listed, router._find = self._voices, self.listed, lambda name: self._find(name)
        return router

    def add(self, voice: Voice) -> None:
        """Put a voice at hand; replaces one of this name."""
        self._voices[voice.id] = voice
        self._forget_speech_of(voice)

    def find_missing(self, find: Callable[[str], Awaitable[None]]) -> None:
        """Have ``find`` add a voice that is named and not at hand, if it knows one."""
        self._find = find

    def remove(self, name: str) -> None:
        """A voice that was added is not at hand any more; it need not have been."""
        if (voice := self._voices.pop(name, None)) is not None:
            self._forget_speech_of(voice)

    def _forget_speech_of(self, voice: Voice) -> None:
        for engine, own_voice in voice.synthesizers.values():
            self._cache.forget(engine, own_voice)

    @override
    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """Yield the speech of one clause. Raises ``ClientError`` for an unknown voice, ``EngineError`` from the engine.

        A voice that is not at hand may be added once more, see ``find_missing``. A clause that an engine elsewhere fails at
        before its first sound is spoken by the next engine that can.
        """
        if options.voice not in self._voices and self._resolve_voice(options.voice) is None:
            await self._find(options.voice)
        routes = self._routes(text, options.voice, options.language)
        options = replace(options, speed=min(max(options.speed * options.style.rate, SLOWEST), FASTEST))
        for number, (engine, own_voice, spoken_language) in enumerate(routes, 1):
            begun = False
            own = replace(options, voice=own_voice, language=spoken_language)
            try:
                async with aclosing(self._spoken(engine, text, own)) as pieces:
                    async for samples in pieces:
                        begun = True
                        yield samples
                return
            except EngineError as error:
                if begun or number == len(routes) or not hasattr(self.synthesizers[engine], "health"):
                    raise
                self.fallbacks[engine] += 1
                logger.warning("%s; '%s' speaks in place of '%s'", error, routes[number][0], engine)

    async def _spoken(self, engine: str, text: str, own: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """A clause by one engine, as loud as all others; from the cache, if it is there."""
        key = (engine, text, own)
        if (cached := self._cache.get(key)) is not None:
            for samples in cached:
                yield samples
            return
        spoken: list[Samples] | None = [] if self._cache.wants(key) else None
        async with aclosing(self._synthesized(engine, text, own)) as pieces:
            async for samples in pieces:
                yield samples
                if spoken is not None:
                    spoken.append(samples)
        if spoken:
            self._cache.keep(key, spoken)

    async def _synthesized(self, engine: str, text: str, own: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """A clause by one engine, as loud as all others but for what its style wants otherwise."""
        effects = StyledSound(own.style, RATE_HZ)
        with failures_of(engine):
            async with aclosing(self.synthesizers[engine].speak(text, own)) as pieces:
                async for piece in pieces:
                    samples = samples_of(engine, piece)
                    if effects.changes:
                        samples = await asyncio.to_thread(effects.push, samples)
                    if len(samples):
                        yield await self._as_loud(engine, own, samples)
        if effects.changes and len(rest := await asyncio.to_thread(effects.finish)):
            yield await self._as_loud(engine, own, rest)

    async def _as_loud(self, engine: str, own: SpeakOptions, samples: Samples) -> Samples:
        if getattr(self.synthesizers[engine], "levelled", False) and not own.style.whisper:
            return await louder(samples, own.style.gain_db) if own.style.gain_db else samples
        return await self._levels.levelled(engine, own.voice, own.language, samples, RATE_HZ, style=own.style)

    def controls_of(self, voice: str, language: Language) -> frozenset[Control]:
        """Those of the engine that speaks this language with this voice; all there are for a voice that is not at hand."""
        try:
            engine, own_voice, spoken_language = self.route("", voice, language)
        except (ClientError, EngineError):
            return ALL_CONTROLS
        return controls_of(self.synthesizers[engine], own_voice, spoken_language)

    def route(self, text: str, voice: str, language: Language) -> tuple[str, str, Language]:
        """(engine, that engine's voice, language) for a clause. Raises as ``speak`` does."""
        return self._routes(text, voice, language)[0]

    def _routes(self, text: str, voice: str, language: Language) -> list[tuple[str, str, Language]]:
        """All routes there are, one an engine, the best first. Raises as ``speak`` does."""
        entry = self._voices.get(voice) or self._resolve_voice(voice)
        if entry is None:
            raise ClientError(f"The voice '{voice}' is not valid.", code="invalid_value", param="voice")
        spoken_language = _spoken_language(text, language, entry)
        voices: dict[str, str] = {}
        for name, synthesizer in self.synthesizers.items():
            if voice in getattr(synthesizer, "stand_ins", ()) and spoken_language in synthesizer.voices[voice]:
                voices.setdefault(name, voice)
        engine, own_voice = entry.synthesizers[spoken_language]
        if engine in self.synthesizers:
            voices.setdefault(engine, own_voice)
        for name, synthesizer in self.synthesizers.items():
            for candidate, languages in synthesizer.voices.items():
                if spoken_language in languages:
                    voices.setdefault(name, candidate)
        if not voices:
            raise EngineError(
                engine, f"is not loaded, and no other speaker speaks '{spoken_language}' for the voice '{voice}'"
            )
        return [(name, own, spoken_language) for name, own in voices.items()]

    @override
    async def close(self) -> None:
        """Close every synthesizer."""
        async with CloseStack() as stack:
            for synthesizer in self.synthesizers.values():
                stack.add(synthesizer)


def _spoken_language(text: str, language: Language, voice: Voice) -> Language:
    script = "ja" if _KANA.search(text) else "zh" if _HAN.search(text) else "en"
    preferred = (language, language.partition("-")[0], script)
    return next((choice for choice in preferred if choice in voice.synthesizers), next(iter(voice.synthesizers)))


async def _nowhere(voice: str) -> None:
    """There is nothing else to find."""


def _own_voices(synthesizers: Mapping[str, Synthesizer]) -> dict[str, Voice]:
    return {
        name: Voice(name, "female", f"{engine}'s own", dict.fromkeys(sorted(languages), (engine, name)))
        for engine, synthesizer in reversed(list(synthesizers.items()))
        for name, languages in synthesizer.voices.items()
    }
