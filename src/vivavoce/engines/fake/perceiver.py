"""Perception by loudness."""

from __future__ import annotations

import asyncio

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import Perceiver
from vivavoce.types import Samples
from vivavoce.voice_facts import Emotion, Perceived, PerceiveOptions, SpeechEncoding

ANGRY_PEAK = 0.9
"""Whoever is louder sounds angry."""


class FakePerceiver(Perceiver):
    """Hears anger in what is very loud, and nothing in anything else."""

    network = None

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        """Anger, or nothing at all."""
        await asyncio.sleep(0)
        peak = float(np.abs(samples).max()) if len(samples) else 0.0
        if peak <= ANGRY_PEAK or not options.emotion:
            return Perceived()
        scores = {"angry": 0.97, "happy": 0.01, "neutral": 0.01, "sad": 0.01}
        return Perceived(emotion=Emotion(label="angry", score=0.97, scores=scores, source="fake"))

    @override
    def close(self) -> None:
        pass
