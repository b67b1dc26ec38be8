"""Silence around speech: found, cut off, and put back in known amounts.

Neural synthesizers pad what they say with up to half a second on both sides. Left in place, that padding is latency before
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
    result = samples.astype(np.float32, copy=True)
    count = min(FADE_MS * rate_hz // 1000, len(result) // 2)
    if count:
        ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)).astype(np.float32)
        result[:count] *= ramp
        result[-count:] *= ramp[::-1]
    return result


def silence(duration_ms: float, rate_hz: int) -> Samples:
    """So much of nothing."""
    return np.zeros(round(duration_ms * rate_hz / 1000), np.float32)


class EdgeTrimmer:
    """A clip without leading and trailing silence, while it is still being made (see ``trim``): what may be its end waits."""

    def __init__(self, rate_hz: int) -> None:
        self._lead = LEAD_MS * rate_hz // 1000
        self._tail = TAIL_MS * rate_hz // 1000
        self._held = np.zeros(0, np.float32)
        self._begun = False

    def push(self, samples: Samples) -> Samples:
        """What ``samples`` (``float32[n]``) add to the clip."""
        held = np.concatenate([self._held, samples])
        audible = np.flatnonzero(np.abs(held) > FLOOR)
        if not len(audible):
            self._held = held if self._begun else held[max(len(held) - self._lead, 0) :]
            return held[:0]
        start = 0 if self._begun else max(0, int(audible[0]) - self._lead)
        end = int(audible[-1]) + 1
        self._held, self._begun = held[end:], True
        return held[start:end]

    def finish(self) -> Samples:
        """The clip is over: how its last sound fades."""
        return self._held[: self._tail] if self._begun else self._held[:0]
