"""Log-mel features as Whisper was trained on: 80 Slaney mel bands (128 from large v3 on), 25 ms windows every 10 ms.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 2.2, and the reference
implementation's ``audio.py``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.mel import BANDS, HOP, RATE_HZ, WINDOW, mel_filters
from vivavoce.types import Samples

FRAMES_PER_S = RATE_HZ // HOP

_FLOOR = -10.0
"""log10 of the least power that is told from silence."""

_DYNAMIC_RANGE = 8.0
"""log10 of the range kept below the loudest point."""


class LogMel:
    """Computes features; holds the window and the filter bank."""

    def __init__(self, bands: int = BANDS) -> None:
        self._window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
        self._filters = mel_filters(bands)

    def __call__(self, samples: Samples, frames: int) -> NDArray[np.float32]:
        """``float32[1, bands, frames]`` of ``samples`` (``float32[n]``, 16 kHz), cut or padded with silence to ``frames``."""
        half = WINDOW // 2
        padded = np.pad(np.pad(samples[: frames * HOP], (0, half)), (half, 0), mode="reflect")
        pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames]
        power = np.abs(np.fft.rfft(pieces * self._window, axis=1)) ** 2
        log_mel = np.full((len(self._filters), frames), _FLOOR, np.float32)
        log_mel[:, : len(pieces)] = np.log10(np.maximum(self._filters @ power.T, 10.0**_FLOOR))
        log_mel = np.maximum(log_mel, log_mel.max() - _DYNAMIC_RANGE)
        return np.ascontiguousarray((log_mel[None] + 4.0) / 4.0, dtype=np.float32)


def frames_for(samples: int, context_s: float) -> int:
    """Frames the encoder is shown: the utterance and a second of silence, at least ``context_s``, at most 30 s; even."""
    context_and_margin_s = max(context_s, samples / RATE_HZ + 1.0)
    return math.ceil(min(context_and_margin_s, 30.0) * FRAMES_PER_S / 2) * 2
