"""What Smart Turn sees: Whisper's log-mel picture of the last 8 s, ending where the audio ends.

It was trained with ``WhisperFeatureExtractor(chunk_length=8)`` and ``do_normalize=True`` (smart-turn, ``inference.py``):
unlike for recognition, silence fills up the front, and the waveform is brought to zero mean and unit variance first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.mel import HOP, RATE_HZ, WINDOW, mel_filters
from vivavoce.types import Samples

WINDOW_S = 8.0
FRAMES = int(WINDOW_S * RATE_HZ) // HOP

_VARIANCE_FLOOR = 1e-7
_POWER_FLOOR = 1e-10
_DYNAMIC_RANGE = 8.0
"""log10 of the range kept below the loudest point."""


class TurnFeatures:
    """Computes features; holds the window and the filter bank."""

    def __init__(self) -> None:
        self._window = np.hanning(WINDOW + 1)[:-1]
        self._filters = mel_filters().astype(np.float64)

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """``float32[1, 80, 800]`` of the last 8 s of ``samples`` (``float32[n]``, 16 kHz); less is led in by silence."""
        wave = normalised(_last(samples, FRAMES * HOP)).astype(np.float64)
        padded = np.pad(wave, WINDOW // 2, mode="reflect")
        pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:FRAMES]
        # In double precision: quiet bands lie 80 dB below the loudest point and would drown in the rounding.
        power = np.abs(np.fft.rfft(pieces * self._window, axis=1)) ** 2
        log_mel = np.log10(np.maximum(self._filters @ power.T, _POWER_FLOOR))
        log_mel = np.maximum(log_mel, log_mel.max() - _DYNAMIC_RANGE)
        return np.asarray((log_mel[None] + 4.0) / 4.0, dtype=np.float32)


def normalised(samples: Samples) -> Samples:
    """``samples`` with zero mean and unit variance; silence stays silent."""
    return np.asarray((samples - samples.mean()) / np.sqrt(samples.var() + _VARIANCE_FLOOR), dtype=np.float32)


def _last(samples: Samples, count: int) -> Samples:
    return np.pad(samples[-count:], (max(0, count - len(samples)), 0))
