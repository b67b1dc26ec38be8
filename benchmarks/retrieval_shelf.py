"""The corpus in a knowledge service of its own, in a temporary folder: put in the way a client puts it in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from retrieval_corpus import CorpusDocument

from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.config.keeping import StorageConfig
from vivavoce.engines.base import Embedder
from vivavoce.knowledge.extraction import text_of
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.knowledge.stores import NewFile, NewStore
from vivavoce.store.files import Files
from vivavoce.store.store import open_store
from vivavoce.supervision import Supervisor

OWNER = "bench"
POLL_S = 0.05


@asynccontextmanager
async def open_knowledge(
    config: Config, folder: Path, embedder: Embedder
) -> AsyncIterator[tuple[KnowledgeService, Files]]:
    """An empty knowledge service with its rows and files in ``folder``."""
    storage = StorageConfig.model_validate({"url": f"sqlite:///{folder / 'bench.db'}", "blobs": str(folder / "blobs")})
    knowledge_config = config.knowledge.model_copy(update={"index": folder / "index.db"})
    settings = config.model_copy(update={"storage": storage, "knowledge": knowledge_config})
    async with CloseStack() as stack:
        store = stack.add(await open_store(settings))
        parsers = stack.add(Parsers())
        files = Files(store, partial(text_of, parsers))
        knowledge = stack.add(KnowledgeService(settings, store, files, parsers, embedder, lambda: False, Supervisor()))
        await knowledge.open()
        yield knowledge, files


async def put_in(knowledge: KnowledgeService, files: Files, pages: Sequence[CorpusDocument], owner: str = OWNER) -> str:
    """A store with these pages in it, all read; its id. Raises ``RuntimeError`` when one cannot be."""
    store_id = (await knowledge.stores.create(owner, NewStore("bench"))).id
    for page in pages:
        file = await files.create(owner, page.file, "retrieval-text", _chunks(page.text))
        await knowledge.add_files(owner, store_id, [NewFile(file.id)])
    while (counts := (await knowledge.stores.counts([store_id]))[store_id])["in_progress"]:  # noqa: ASYNC110
        await asyncio.sleep(POLL_S)
    if counts["completed"] != len(pages):
        raise RuntimeError(f"{counts['failed']} of {len(pages)} pages could not be read")
    return store_id


async def _chunks(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
