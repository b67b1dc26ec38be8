"""The energy gate before the recogniser: audio in which nothing is loud enough to be speech is not worth its time."""

from __future__ import annotations

import numpy as np

from vivavoce.types import Samples

FLOOR = 0.001
"""RMS (1 = full scale, so -60 dBFS). Distant quiet speech is at about -45 dBFS, a converter's own noise below -70."""

WINDOW_MS = 100


def audible(samples: Samples, rate_hz: int) -> bool:
    """Whether any 100 ms of ``samples`` (``float32[n]``) are louder than the floor."""
    window = WINDOW_MS * rate_hz // 1000
    padded = np.pad(samples, (0, -len(samples) % window)).reshape(-1, window)
    return bool((np.square(padded, dtype=np.float64).mean(axis=1) > FLOOR**2).any())
