"""Voice activity detection by loudness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import SpeechDetector, VadStream
from vivavoce.engines.fake.signals import LOUD
from vivavoce.types import Samples


class FakeVadStream(VadStream):
    """Loudness instead of a model."""

    @override
    def probability(self, frame: Samples) -> float:
        """1 for a loud frame, else 0."""
        return float(np.sqrt(np.mean(frame**2)) > LOUD)

    @override
    def reset(self) -> None:
        pass


class FakeSpeechDetector(SpeechDetector):
    """Voice activity by loudness."""

    rate_hz = 16_000
    frame_samples = 512

    @override
    def open(self) -> FakeVadStream:
        return FakeVadStream()

    @override
    def probabilities(self, streams: Sequence[FakeVadStream], frames: Sequence[Samples]) -> list[float]:
        return [stream.probability(frame) for stream, frame in zip(streams, frames, strict=True)]

    @override
    def close(self) -> None:
        pass
