"""Faster or slower speech of the same pitch, for synthesizers that know one tempo only."""

from __future__ import annotations

import math

import numpy as np

from vivavoce.audio.filters import FilterChain
from vivavoce.types import Samples

_SLOWEST = 0.5
"""What one filter can do; slower is done by several."""


def at_tempo(samples: Samples, rate_hz: int, tempo: float) -> Samples:
    """``samples`` said ``tempo`` times as fast (above 0; at 1 they are returned as they are). Blocking."""
    if tempo == 1.0 or not len(samples):
        return samples
    count = max(1, math.ceil(math.log(tempo) / math.log(_SLOWEST)))
    chain = FilterChain(rate_hz, [("atempo", f"{tempo ** (1 / count):.6f}")] * count)
    return np.concatenate([chain.push(samples), chain.finish()])
