"""How long very many small files take, how much memory, and what somebody else's search notices of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from retrieval_corpus import CorpusDocument
from retrieval_shelf import open_knowledge, put_in

from vivavoce.config import Config
from vivavoce.engines.base import Embedder
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.store.files import MAX_FILES

MIB = 1024 * 1024
POLL_INTERVAL_S = 0.2
"""How often somebody else searches, and the memory is looked at."""

OTHER = "somebody-else"
THEIRS = CorpusDocument("terms.md", "# Returns\n\nGoods can be returned within thirty days.\n")


async def read_many(config: Config, folder: Path, embedder: Embedder, count: int) -> dict[str, Any]:
    """Read ``count`` files of a sentence each in, for as many owners as that takes. Raises ``RuntimeError``."""
    (folder / "many").mkdir()
    async with open_knowledge(config, folder / "many", embedder) as (knowledge, files):
        other = await put_in(knowledge, files, [THEIRS], owner=OTHER)
        watch = _Watch(knowledge, other)
        await watch.look()
        watch.waited_ms.clear()
        before, began = watch.peak_memory, time.perf_counter()
        async with watch.looking():
            for at in range(0, count, MAX_FILES):
                notes = [_note(number) for number in range(at, min(at + MAX_FILES, count))]
                await put_in(knowledge, files, notes, owner=f"owner-{at}")
        seconds = time.perf_counter() - began
    waited = sorted(watch.waited_ms)
    return {
        "files": count,
        "seconds": round(seconds, 1),
        "rss_mb": round((watch.peak_memory - before) / MIB),
        "reader_mb": round(watch.peak_readers / MIB),
        "search_meanwhile_p50_ms": round(median(waited), 1),
        "search_meanwhile_p95_ms": round(waited[int(len(waited) * 0.95)], 1),
    }


class _Watch:
    """Searches as somebody else, and looks at the memory."""

    def __init__(self, knowledge: KnowledgeService, store_id: str) -> None:
        self._knowledge = knowledge
        self._store_id = store_id
        self._process = psutil.Process()
        self.peak_memory = self.peak_readers = 0
        self.waited_ms: list[float] = []

    async def look(self) -> None:
        began = time.perf_counter()
        hits = await self._knowledge.search(OTHER, self._store_id, "When can goods be returned?", 3)
        self.waited_ms.append((time.perf_counter() - began) * 1000)
        if not hits:
            raise RuntimeError("somebody else's search found nothing")
        self.peak_memory = max(self.peak_memory, self._process.memory_info().rss)
        readers = sum(child.memory_info().rss for child in self._process.children())
        self.peak_readers = max(self.peak_readers, readers)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Again and again, for the length of a block."""
        done = asyncio.Event()

        async def look_on() -> None:
            while not done.is_set():
                await self.look()
                await asyncio.sleep(POLL_INTERVAL_S)

        async with asyncio.TaskGroup() as group:
            group.create_task(look_on())
            try:
                yield
            finally:
                done.set()


def _note(number: int) -> CorpusDocument:
    return CorpusDocument(f"{number}.txt", f"Note {number}: box {number * 7} stands on shelf {number % 90}.")
