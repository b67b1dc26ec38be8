"""The corpus in a library of its own, in a temporary folder: put in the way a client puts it in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from vivavoce.bench.retrieval.corpus import Page
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.config.keeping import StorageConfig
from vivavoce.engines.base import Embedder
from vivavoce.knowledge.extraction import text_of
from vivavoce.knowledge.library import Library
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.stores import NewFile
from vivavoce.store.files import Files
from vivavoce.store.store import open_store
from vivavoce.supervision import Supervisor

OWNER = "bench"
POLL_S = 0.05


@asynccontextmanager
async def open_library(config: Config, folder: Path, embedder: Embedder) -> AsyncIterator[tuple[Library, Files]]:
    """An empty library with its rows and files in ``folder``."""
    storage = StorageConfig.model_validate({"url": f"sqlite:///{folder / 'bench.db'}", "blobs": str(folder / "blobs")})
    knowledge = config.knowledge.model_copy(update={"index": folder / "index.db"})
    settings = config.model_copy(update={"storage": storage, "knowledge": knowledge})
    async with CloseStack() as stack:
        store = stack.add(await open_store(settings))
        parsers = stack.add(Parsers())
        files = Files(store, partial(text_of, parsers))
        library = stack.add(Library(settings, store, files, parsers, embedder, lambda: False, Supervisor()))
        await library.open()
        yield library, files


async def put_in(library: Library, files: Files, pages: Sequence[Page], owner: str = OWNER) -> str:
    """A store with these pages in it, all read; its id. Raises ``RuntimeError`` when one cannot be."""
    store_id = (await library.stores.create(owner, "bench")).id
    for page in pages:
        file = await files.create(owner, page.file, "retrieval-text", _chunks(page.text))
        await library.add_files(owner, store_id, [NewFile(file.id)])
    while (counts := (await library.stores.counts([store_id]))[store_id])["in_progress"]:  # noqa: ASYNC110
        await asyncio.sleep(POLL_S)
    if counts["completed"] != len(pages):
        raise RuntimeError(f"{counts['failed']} of {len(pages)} pages could not be read")
    return store_id


async def _chunks(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
