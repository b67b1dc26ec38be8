"""Clips for tests of voices, as samples and as files."""

from __future__ import annotations

import numpy as np

from chatting import wav
from vivavoce.types import Samples

RATE_HZ = 24_000


def hum(pitch_hz: float, seconds: float = 6.0, level: float = 0.3, rate_hz: int = RATE_HZ) -> Samples:
    """A tone with a pause of 200 ms in every second: speech to the fake engines, by the voice of this pitch."""
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    tone = level * np.sin(2 * np.pi * pitch_hz * at) * (at % 1.0 < 0.8)
    return tone.astype(np.float32)


def file_of(samples: Samples, rate_hz: int = RATE_HZ) -> bytes:
    """A wav."""
    return wav((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes(), rate_hz)
