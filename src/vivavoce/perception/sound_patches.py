"""The spectrum YAMNet hears sounds in: mel patches of 0.96 s, one every 0.48 s. Pure numpy.

Its parameters are those the network was trained with (``params.py`` and ``features.py`` of YAMNet in tensorflow/models).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Samples

RATE_HZ = 16_000
FRAME, FRAME_HOP, POINTS = 400, 160, 512
"""25 ms every 10 ms, and the length of their Fourier transform."""

BANDS, LOWEST_HZ, HIGHEST_HZ = 64, 125.0, 7500.0
LOG_OFFSET = 0.001
FRAMES = 96
"""Of a patch."""

PATCH = FRAME + (FRAMES - 1) * FRAME_HOP
"""Samples of a patch: 0.975 s."""

PATCH_HOP = FRAMES // 2 * FRAME_HOP
PATCH_MS, HOP_MS = FRAMES * FRAME_HOP * 1000 // RATE_HZ, PATCH_HOP * 1000 // RATE_HZ


def patches(samples: Samples) -> list[Samples]:
    """The stretches (``float32[PATCH]``) that ``samples`` (``float32[n]`` at 16 kHz) are heard in, the last filled up."""
    count = 1 + max(0, -(-(len(samples) - PATCH) // PATCH_HOP))
    padded = np.pad(samples, (0, PATCH + (count - 1) * PATCH_HOP - len(samples)))
    return [padded[start : start + PATCH] for start in range(0, count * PATCH_HOP, PATCH_HOP)]


def log_mel(stretches: NDArray[np.float32]) -> NDArray[np.float32]:
    """``float32[n, FRAMES, BANDS]`` of ``float32[n, PATCH]``: the logarithm of the magnitudes in bands of the HTK mel scale."""
    frames = np.lib.stride_tricks.sliding_window_view(stretches, FRAME, axis=1)[:, ::FRAME_HOP]
    magnitudes = np.abs(np.fft.rfft(frames * _window(), POINTS))
    return np.asarray(np.log(magnitudes @ _bands() + LOG_OFFSET), np.float32)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME), np.float32)


@lru_cache(maxsize=1)
def _bands() -> NDArray[np.float32]:
    """Triangular filters, ``float32[POINTS / 2 + 1, BANDS]``: straight in mel, of equal height."""
    mels = _mel(np.asarray(np.fft.rfftfreq(POINTS, 1 / RATE_HZ), np.float64))[:, None]
    edges = np.linspace(_mel(np.array(LOWEST_HZ)), _mel(np.array(HIGHEST_HZ)), BANDS + 2)
    rising = (mels - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - mels) / np.diff(edges)[1:]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The HTK scale."""
    return np.asarray(1127.0 * np.log1p(hz / 700.0))
