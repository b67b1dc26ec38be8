"""Speaker verification by pitch."""

from __future__ import annotations

import asyncio

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from vivavoce.engines.base import SpeakerVerifier
from vivavoce.engines.fake.signals import strongest_hz
from vivavoce.types import Samples


class FakeSpeakerVerifier(SpeakerVerifier):
    """Knows a voice by the strongest frequency in it."""

    rate_hz = 16_000
    network = "fake"
    min_s = 0.8

    @override
    async def embed(self, samples: Samples) -> NDArray[np.float32]:
        """Where the strongest frequency below 1 kHz lies, as a direction: a third makes a right angle."""
        await asyncio.sleep(0)
        strongest = strongest_hz(samples, self.rate_hz)
        angle = np.clip(np.log2(strongest / 50) / np.log2(20), 0, 1) * np.pi / 2 * 13
        return np.array([np.cos(angle), np.sin(angle)], np.float32)

    @override
    def close(self) -> None:
        pass
