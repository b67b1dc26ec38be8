"""Silence around speech: found, cut off, and put back in known amounts.

Neural speakers pad what they say with up to half a second on both sides. Left in place, that padding is latency before
the first word and an unnatural hole between clauses.
"""

from __future__ import annotations

import numpy as np

from vivavoce.types import Samples

FLOOR = 0.004
"""Amplitude (1 = full scale, so -48 dBFS) below which nothing is heard."""

RELATIVE_FLOOR = 0.02
"""Speech is also louder than this share of the clip's own peak (-34 dB): padding is not digitally silent."""

LEAD_MS = 12
"""Kept before the first audible sample: the breath of an onset, and room for the fade."""

TAIL_MS = 20
"""Kept after the last audible sample: final consonants and vowels die away below the floor."""

FADE_MS = 5
"""Raised-cosine ramp at both cut edges, so that a cut never clicks."""


def trim(samples: Samples, rate_hz: int) -> Samples:
    """``samples`` without leading and trailing silence, edges faded; empty when nothing in it can be heard."""
    loudness = np.abs(samples)
    if not len(samples):
        return samples
    audible = np.flatnonzero(loudness > max(FLOOR, RELATIVE_FLOOR * float(loudness.max())))
    if not len(audible):
        return samples[:0]
    start = max(0, int(audible[0]) - LEAD_MS * rate_hz // 1000)
    end = min(len(samples), int(audible[-1]) + 1 + TAIL_MS * rate_hz // 1000)
    return faded(samples[start:end], rate_hz)


def faded(samples: Samples, rate_hz: int) -> Samples:
    """A copy that rises from and falls to zero over ``FADE_MS`` (less when it is shorter than two fades)."""
    out = samples.astype(np.float32, copy=True)
    count = min(FADE_MS * rate_hz // 1000, len(out) // 2)
    if count:
        ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)).astype(np.float32)
        out[:count] *= ramp
        out[-count:] *= ramp[::-1]
    return out


def silence(duration_ms: float, rate_hz: int) -> Samples:
    """So much of nothing."""
    return np.zeros(round(duration_ms * rate_hz / 1000), np.float32)
