"""Faster or slower speech of the same pitch, for synthesizers that know one tempo only."""

from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from vivavoce.types import Samples

_SLOWEST = 0.5
"""What one filter can do; slower is done by several."""


def at_tempo(samples: Samples, rate_hz: int, tempo: float) -> Samples:
    """``samples`` said ``tempo`` times as fast (above 0; at 1 they are returned as they are). Blocking."""
    if tempo == 1.0 or not len(samples):
        return samples
    graph = Graph()
    source = graph.add_abuffer(sample_rate=rate_hz, format="flt", layout="mono", time_base=Fraction(1, rate_hz))
    count = max(1, math.ceil(math.log(tempo) / math.log(_SLOWEST)))
    filters = [graph.add("atempo", f"{tempo ** (1 / count):.6f}") for _ in range(count)]
    graph.link_nodes(source, *filters, graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32).reshape(1, -1), "flt", "mono")
    frame.sample_rate = rate_hz
    graph.push(frame)
    graph.push(None)
    chunks: list[Samples] = []
    while True:
        try:
            pulled = graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            break
        chunks.append(pulled.to_ndarray().reshape(-1).astype(np.float32))
    return np.concatenate(chunks) if chunks else samples[:0]
