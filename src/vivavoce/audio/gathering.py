"""Samples that arrive in pieces, in one array."""

from __future__ import annotations

import numpy as np

from vivavoce.types import Samples


class GatheredSamples:
    """Samples so far, in one array that grows in place: joining pieces at the end would need the memory twice."""

    def __init__(self, max_samples: int) -> None:
        self._max_samples = max_samples
        self._count = 0
        self._buffer = np.empty(min(max_samples, 1 << 16), np.float32)

    def add(self, samples: Samples) -> bool:
        """Append; false when that would be more than ``most``."""
        end = self._count + len(samples)
        if end > self._max_samples:
            return False
        if end > len(self._buffer):
            self._buffer.resize(min(self._max_samples, max(end, len(self._buffer) * 2)), refcheck=False)
        self._buffer[self._count : end] = samples
        self._count = end
        return True

    def samples(self) -> Samples:
        """All of them; nothing is added afterwards."""
        self._buffer.resize(self._count, refcheck=False)
        return self._buffer
