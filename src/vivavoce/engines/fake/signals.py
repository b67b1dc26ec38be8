"""What the fakes measure of samples."""

from __future__ import annotations

import numpy as np

from vivavoce.types import Samples

LOUD = 0.02
"""The RMS above which sound counts as speech."""


def strongest_hz(samples: Samples, rate_hz: int) -> float:
    """The strongest frequency of ``samples`` (``float32[n]``) between 50 Hz and 1 kHz."""
    spectrum = np.abs(np.fft.rfft(samples))
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    in_range = (frequencies > 50) & (frequencies < 1000)
    return float(frequencies[in_range][int(np.argmax(spectrum[in_range]))])
