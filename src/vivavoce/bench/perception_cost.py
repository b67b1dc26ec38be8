"""What listening costs besides time: memory."""

from __future__ import annotations

import psutil

from vivavoce.engines.base import Perceiver
from vivavoce.runtime.engines import EngineLoader

BYTES_PER_MB = 1e6


def listening_memory_mb(loader: EngineLoader) -> tuple[list[Perceiver], float]:
    """The configured perceivers, and how much the process has grown by loading them."""
    process = psutil.Process()
    before = process.memory_info().rss
    perceivers = loader.perceivers()
    return perceivers, (process.memory_info().rss - before) / BYTES_PER_MB
