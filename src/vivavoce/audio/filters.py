"""FFmpeg's filters of mono audio, as they are streamed: what goes in comes out, changed, a moment later."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from vivavoce.types import Samples


class FilterChain:
    """Filters one after the other, each its name and its options: ``push`` …, ``finish``. Blocking."""

    def __init__(self, rate_hz: int, filters: Sequence[tuple[str, str]]) -> None:
        self._rate_hz = rate_hz
        self._graph = Graph()
        source = self._graph.add_abuffer(
            sample_rate=rate_hz, format="flt", layout="mono", time_base=Fraction(1, rate_hz)
        )
        nodes = [self._graph.add(name, options) for name, options in filters]
        self._graph.link_nodes(source, *nodes, self._graph.add("abuffersink")).configure()

    def push(self, samples: Samples) -> Samples:
        """What ``samples`` (``float32[n]``) add to the output."""
        if not len(samples):
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32).reshape(1, -1), "flt", "mono")
        frame.sample_rate = self._rate_hz
        self._graph.push(frame)
        return self._pulled()

    def finish(self) -> Samples:
        """The rest."""
        self._graph.push(None)
        return self._pulled()

    def _pulled(self) -> Samples:
        chunks: list[Samples] = []
        while True:
            try:
                pulled = self._graph.pull()
            except (av.error.EOFError, av.error.BlockingIOError):
                break
            chunks.append(pulled.to_ndarray().reshape(-1).astype(np.float32))
        return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
