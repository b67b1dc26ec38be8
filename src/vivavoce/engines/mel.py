"""Mel filters, which the features of several networks are made with."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
HOP = 160
WINDOW = 400
BANDS = 80
"""Whisper's picture of sound, and that of networks made from it: 80 bands, 25 ms windows every 10 ms."""


_TOP_HZ = 8_000


def mel_filters(bands: int = BANDS, points: int = WINDOW, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """Triangular filters of equal area up to 8 kHz, linear below 1 kHz and logarithmic above (Slaney's scale).

    ``float32[bands, points / 2 + 1]`` for spectra of ``points`` samples at ``rate_hz``.
    """
    step = math.log(6.4) / 27.0
    mels = np.linspace(0.0, 15.0 + math.log(_TOP_HZ / 1000.0) / step, bands + 2)
    edges_hz = np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp(step * (mels - 15.0)))
    bins_hz = np.fft.rfftfreq(points, 1.0 / rate_hz)
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    area = 2.0 / (edges_hz[2:] - edges_hz[:-2])
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * area[:, None], dtype=np.float32)
