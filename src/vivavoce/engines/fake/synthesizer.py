"""Synthesis of tones, with preset voices and with the pitch of a clip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from vivavoce.engines.base import CloningSynthesizer, VectorSynthesizer
from vivavoce.engines.fake.failure import FAILURE
from vivavoce.engines.fake.signals import strongest_hz
from vivavoce.errors import EngineError
from vivavoce.speaking_style import Control
from vivavoce.types import Language, Samples, Sex, SpeakOptions

CHARACTER_MS = 50

FAKE_VOICES_HZ: Mapping[str, float] = {"ff_high": 250.0, "ff_middle": 200.0, "fm_middle": 150.0, "fm_low": 100.0}
"""What the fake's voices for users are mixed from."""

_LANGUAGES = frozenset({"en", "zh", "ja"})


class FakeSynthesizer(VectorSynthesizer):
    """Hums: a tone of ``CHARACTER_MS`` a character. A voice is two numbers: its pitch in Hz, and one nobody hears."""

    rate_hz = 24_000
    levelled = True
    controls: frozenset[Control] = frozenset({"pitch"})
    network = "fake"
    voices: Mapping[str, frozenset[Language]] = {"fake": _LANGUAGES}
    builtin_voices: Mapping[str, NDArray[np.float32]] = {
        name: np.array([[hz, number]], np.float32) for number, (name, hz) in enumerate(FAKE_VOICES_HZ.items())
    }

    def __init__(self) -> None:
        self._own: dict[str, float] = {}

    @override
    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """A second of tone at a time."""
        if FAILURE in text:
            raise EngineError("fake", "failed because it was asked to")
        pitch_hz = self._own.get(options.voice, 220.0) * 2 ** (options.style.pitch_st / 12)
        tone = _hum(text, pitch_hz, self.rate_hz, options.speed)
        for at in range(0, len(tone), self.rate_hz):
            await asyncio.sleep(0)
            yield tone[at : at + self.rate_hz]

    @override
    def mix(self, recipe: Mapping[str, int]) -> NDArray[np.float16]:
        """The mean pitch."""
        parts = sum(recipe.values())
        return np.asarray(sum(self.builtin_voices[name] * count for name, count in recipe.items()) / parts, np.float16)

    @override
    def add_voice(self, name: str, vectors: NDArray[np.float16], sex: Sex) -> frozenset[Language]:
        """A voice of this pitch."""
        self._own[name] = float(vectors[0, 0])
        return _LANGUAGES

    @override
    def remove_voice(self, name: str) -> None:
        self._own.pop(name, None)

    @override
    async def synthesize_offline(self, text: str, vectors: NDArray[np.float16]) -> Samples:
        """A tone of this pitch."""
        await asyncio.sleep(0)
        return _hum(text, float(vectors[0, 0]), self.rate_hz, 1.0)

    @override
    def end_offline_synthesis(self) -> None:
        pass

    @override
    def close(self) -> None:
        pass


class FakeCloningSynthesizer(CloningSynthesizer):
    """Hums with the pitch of a clip, in English and Chinese only."""

    rate_hz = 24_000
    levelled = True
    clones = frozenset({"en", "zh"})
    voices: Mapping[str, frozenset[Language]] = {}

    def __init__(self) -> None:
        self._own: dict[str, float] = {}

    @override
    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        if options.voice not in self._own or options.language not in self.clones:
            raise EngineError("fake_clone", f"there is no voice '{options.voice}' for language '{options.language}'")
        await asyncio.sleep(0)
        yield _hum(text, self._own[options.voice], self.rate_hz, options.speed)

    @override
    async def add_clone(self, name: str, clip: Samples, rate_hz: int, transcript: str) -> None:
        """The strongest frequency of ``clip`` becomes a voice."""
        await asyncio.sleep(0)
        self._own[name] = strongest_hz(clip, rate_hz)

    @override
    def remove_voice(self, name: str) -> None:
        self._own.pop(name, None)

    @override
    def close(self) -> None:
        pass


def _hum(text: str, pitch_hz: float, rate_hz: int, speed: float) -> Samples:
    count = int(len(text) * CHARACTER_MS * rate_hz / 1000 / speed)
    return (0.1 * np.sin(np.arange(count) * 2 * np.pi * pitch_hz / rate_hz)).astype(np.float32)
