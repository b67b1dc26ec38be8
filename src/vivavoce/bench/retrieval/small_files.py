"""How long very many small files take, and how much memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil

from vivavoce.bench.retrieval.corpus import Page
from vivavoce.bench.retrieval.shelf import open_library, put_in
from vivavoce.config import Config
from vivavoce.engines.base import Embedder
from vivavoce.store.files import MOST_FILES

MIB = 1024 * 1024


async def read_many(config: Config, folder: Path, embedder: Embedder, count: int) -> dict[str, Any]:
    """Read ``count`` files of a sentence each in, for as many owners as that takes."""
    process = psutil.Process()
    began, before = time.perf_counter(), process.memory_info().rss
    most, readers = before, 0
    (folder / "many").mkdir()
    async with open_library(config, folder / "many", embedder) as (library, files):
        for at in range(0, count, MOST_FILES):
            some = [_note(number) for number in range(at, min(at + MOST_FILES, count))]
            await put_in(library, files, some, owner=f"owner-{at}")
            most = max(most, process.memory_info().rss)
            readers = max(readers, sum(child.memory_info().rss for child in process.children()))
    return {
        "files": count,
        "seconds": round(time.perf_counter() - began, 1),
        "rss_mb": round((most - before) / MIB),
        "reader_mb": round(readers / MIB),
    }


def _note(number: int) -> Page:
    return Page(f"{number}.txt", f"Note {number}: box {number * 7} stands on shelf {number % 90}.")
