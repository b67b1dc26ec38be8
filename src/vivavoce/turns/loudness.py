"""How loud audio is: the energy gate before the recogniser (audio in which nothing is loud enough to be speech is not worth its
time), and the levels of frames.
"""

from __future__ import annotations

import numpy as np

from vivavoce.types import Samples

FLOOR = 0.001
"""RMS (1 = full scale, so -60 dBFS). Distant quiet speech is at about -45 dBFS, a converter's own noise below -70."""

WINDOW_MS = 100

_AT_ONCE = 100
"""Windows looked at in one go."""


def audible(samples: Samples, rate_hz: int) -> bool:
    """Whether any 100 ms of ``samples`` (``float32[n]``) are louder than the floor."""
    window = WINDOW_MS * rate_hz // 1000
    end = len(samples) // window * window
    for at in range(0, end, window * _AT_ONCE):  # most audio says so at its beginning
        windows = samples[at : min(at + window * _AT_ONCE, end)].reshape(-1, window)
        if (np.einsum("ij,ij->i", windows, windows) > window * FLOOR**2).any():
            return True
    remainder = samples[end:]
    return bool(np.dot(remainder, remainder) > window * FLOOR**2)


def frame_levels(samples: Samples, frame_samples: int) -> list[float]:
    """The RMS of each whole frame of ``samples`` (``float32[n]``)."""
    whole = len(samples) // frame_samples * frame_samples
    frames = samples[:whole].reshape(-1, frame_samples)
    return [float(level) for level in np.sqrt(np.einsum("ij,ij->i", frames, frames) / frame_samples)]
