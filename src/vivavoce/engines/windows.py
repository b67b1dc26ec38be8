"""Utterances longer than the 30 seconds a recogniser hears at once: cut where it is quietest. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vivavoce.types import Samples

LONGEST_S = 29
EARLIEST_CUT_S = 15
PAUSE_S = 0.3


def windows(samples: Samples, rate_hz: int) -> Iterator[Samples]:
    """``samples`` (``float32[n]``) in pieces of at most 29 s, cut in the middle of the quietest 0.3 s after 15 s."""
    longest, earliest, pause = LONGEST_S * rate_hz, EARLIEST_CUT_S * rate_hz, int(PAUSE_S * rate_hz)
    while len(samples) > longest:
        energy = np.cumsum(np.square(samples[earliest:longest], dtype=np.float64))
        quietest = int(np.argmin(energy[pause:] - energy[:-pause]))
        cut = earliest + quietest + pause // 2
        yield samples[:cut]
        samples = samples[cut:]
    if len(samples):
        yield samples
