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

from vivavoce.bench.retrieval.corpus import Page
from vivavoce.bench.retrieval.shelf import open_library, put_in
from vivavoce.config import Config
from vivavoce.engines.base import Embedder
from vivavoce.knowledge.library import Library
from vivavoce.store.files import MOST_FILES

MIB = 1024 * 1024
LOOK_S = 0.2
"""How often somebody else searches, and the memory is looked at."""

OTHER = "somebody-else"
THEIRS = Page("terms.md", "# Returns\n\nGoods can be returned within thirty days.\n")


async def read_many(config: Config, folder: Path, embedder: Embedder, count: int) -> dict[str, Any]:
    """Read ``count`` files of a sentence each in, for as many owners as that takes. Raises ``RuntimeError``."""
    (folder / "many").mkdir()
    async with open_library(config, folder / "many", embedder) as (library, files):
        other = await put_in(library, files, [THEIRS], owner=OTHER)
        watch = _Watch(library, other)
        await watch.look()
        watch.waited_ms.clear()
        before, began = watch.most, time.perf_counter()
        async with watch.looking():
            for at in range(0, count, MOST_FILES):
                some = [_note(number) for number in range(at, min(at + MOST_FILES, count))]
                await put_in(library, files, some, owner=f"owner-{at}")
        seconds = time.perf_counter() - began
    waited = sorted(watch.waited_ms)
    return {
        "files": count,
        "seconds": round(seconds, 1),
        "rss_mb": round((watch.most - before) / MIB),
        "reader_mb": round(watch.most_readers / MIB),
        "search_meanwhile_p50_ms": round(median(waited), 1),
        "search_meanwhile_p95_ms": round(waited[int(len(waited) * 0.95)], 1),
    }


class _Watch:
    """Searches as somebody else, and looks at the memory."""

    def __init__(self, library: Library, store_id: str) -> None:
        self._library = library
        self._store_id = store_id
        self._process = psutil.Process()
        self.most = self.most_readers = 0
        self.waited_ms: list[float] = []

    async def look(self) -> None:
        began = time.perf_counter()
        hits = await self._library.search(OTHER, self._store_id, "When can goods be returned?", 3)
        self.waited_ms.append((time.perf_counter() - began) * 1000)
        if not hits:
            raise RuntimeError("somebody else's search found nothing")
        self.most = max(self.most, self._process.memory_info().rss)
        readers = sum(child.memory_info().rss for child in self._process.children())
        self.most_readers = max(self.most_readers, readers)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Again and again, for the length of a block."""
        done = asyncio.Event()

        async def look_on() -> None:
            while not done.is_set():
                await self.look()
                await asyncio.sleep(LOOK_S)

        async with asyncio.TaskGroup() as group:
            group.create_task(look_on())
            try:
                yield
            finally:
                done.set()


def _note(number: int) -> Page:
    return Page(f"{number}.txt", f"Note {number}: box {number * 7} stands on shelf {number % 90}.")
