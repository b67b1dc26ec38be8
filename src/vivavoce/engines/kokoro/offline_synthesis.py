"""A second Kokoro for work nobody waits for: one thread of the lowest priority, its network loaded when it is needed."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vivavoce.engines.kokoro.model import RATE_HZ, KokoroModel
from vivavoce.engines.kokoro.styles import ROWS
from vivavoce.engines.pauses import finish
from vivavoce.types import Samples

_LOWEST_PRIORITY = 19


class OfflineSynthesis:
    """Speaks with any styles. The live network is left alone: its threads and its queue belong to calls."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._executor: ThreadPoolExecutor | None = None
        self._model: KokoroModel | None = None

    async def speak(self, pieces: Sequence[str], pack: NDArray[np.float16]) -> Samples:
        """The pieces of phonemes one after the other, ``float32[n]``. Cancelling stops it. Raises ``EngineError``."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="offline-synthesis", initializer=_yield_to_others)
        run = ort.RunOptions()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._speak, pieces, pack, run)
        finally:
            run.terminate = True

    def _speak(self, pieces: Sequence[str], pack: NDArray[np.float16], run: ort.RunOptions) -> Samples:
        if self._model is None:
            self._model = KokoroModel(self._folder, threads=1)

        def style(count: int) -> NDArray[np.float32]:
            at = min(count, ROWS) - 1
            return pack[at : at + 1].astype(np.float32)

        clips = [finish(self._model.synthesize(piece, style, 1.0, run), piece, RATE_HZ, 1.0) for piece in pieces]
        return np.concatenate(clips) if clips else np.zeros(0, np.float32)

    def end(self) -> None:
        """Let the thread and the network go."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._model = None


def _yield_to_others() -> None:
    """On Linux a thread has a priority of its own; elsewhere it stays as it is."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
