"""How texts go through an embedder's network: in batches, what somebody waits for beside what is read in."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from vivavoce.errors import EngineError
from vivavoce.types import EmbedOptions, Vectors

BATCH_TOKENS = 512
"""Texts are read together up to this many tokens (one may be as long): 250 ms on one core with a small model."""

BACKGROUND_NICE = 10

Run = Callable[[list[list[int]]], Vectors]
"""The vectors of texts of similar length, given by the ids of their tokens; blocks."""


class EmbeddingThreads:
    """One thread for what somebody waits for; one for passages, which makes way for everything else."""

    def __init__(self, engine: str, dimensions: int, run: Run) -> None:
        self._engine = engine
        self._dimensions = dimensions
        self._run = run
        self._questions = ThreadPoolExecutor(1, thread_name_prefix=f"{engine}-questions")
        self._passages = ThreadPoolExecutor(1, thread_name_prefix=f"{engine}-passages", initializer=_make_way)
        self._closed = False

    async def vectors(self, ids: Sequence[list[int]], options: EmbedOptions) -> Vectors:
        """A row for each text. Cancelling stops after the batch under way. Raises ``EngineError``."""
        threads = self._questions if options.query or options.interactive else self._passages
        vectors = np.empty((len(ids), self._dimensions), np.float32)
        for batch in _batches(ids):
            try:
                work: Future[Vectors] = threads.submit(self._run, [ids[index] for index in batch])
                meaning = await asyncio.wrap_future(work)
            except Exception as error:
                raise EngineError(self._engine, f"embedding failed: {error}", retriable=not self._closed) from error
            vectors[batch] = meaning
        return vectors

    def close(self) -> None:
        """Drop what is queued and stop the threads after the calls under way. Idempotent."""
        self._closed = True
        for threads in (self._questions, self._passages):
            threads.shutdown(wait=False, cancel_futures=True)


def _batches(texts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Which texts are read together: of similar length, because the shorter ones are padded."""
    batches: list[list[int]] = []
    for index in sorted(range(len(texts)), key=lambda index: len(texts[index])):
        if batches and (len(batches[-1]) + 1) * len(texts[index]) <= BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _make_way() -> None:
    """Less of the processor for this thread, where a thread can have a niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BACKGROUND_NICE)
