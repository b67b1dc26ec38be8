"""Several channels → one, so that none cancels another.

One channel of a balanced line, or a cable soldered wrongly, is the negative of the other: their mean is silence. Such a
channel is inverted before the mean is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Samples

OPPOSED, ALIKE = -0.5, 0.0
"""Below the first correlation with the loudest channel another one is inverted, above the second no longer. Two speakers, or
two microphones, correlate by far less; the difference of the two keeps a channel from being inverted to and fro."""

MEMORY_S = 0.5
"""About how far back correlations reach."""


class Downmix:
    """The mean of the channels of a stream, piece by piece. ``rate_hz`` is the stream's."""

    def __init__(self, rate_hz: int) -> None:
        self._signs = np.ones(0, np.float32)
        self._products = np.zeros((0, 0))
        self._memory_samples = MEMORY_S * rate_hz

    def __call__(self, samples: NDArray[np.float32]) -> Samples:
        """``float32[n, channels]`` → ``float32[n]``. With another number of channels another stream begins."""
        channels = samples.shape[1]
        if channels != len(self._signs):
            self._signs, self._products = np.ones(channels, np.float32), np.zeros((channels, channels))
        if channels > 1 and len(samples) > 1:
            self._listen(samples)
        mono: Samples = (samples * self._signs).mean(axis=1, dtype=np.float32)
        return mono

    def _listen(self, samples: NDArray[np.float32]) -> None:
        # Differences weigh speech against hum and rumble, which may be opposed where speech is not.
        edges = np.diff(samples.astype(np.float64), axis=0)
        self._products = self._products * np.exp(-len(samples) / self._memory_samples) + edges.T @ edges
        energy = np.diag(self._products)
        loudest = int(np.argmax(energy))
        scale = np.sqrt(energy * energy[loudest])
        correlation = np.divide(self._products[loudest], scale, out=np.zeros_like(scale), where=scale > 0)
        # The loudest channel keeps its sign, so that the mix is not inverted when another one becomes the loudest.
        relative = self._signs * self._signs[loudest]
        relative = np.where(correlation < OPPOSED, -1, np.where(correlation > ALIKE, 1, relative))
        self._signs = (relative * self._signs[loudest]).astype(np.float32)
