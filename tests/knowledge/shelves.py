"""A knowledge service with a store of its own, without a server around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from vivavoce.config import Config, load_config
from vivavoce.config.keeping import KnowledgeConfig, StorageConfig
from vivavoce.engines.base import Embedder
from vivavoce.engines.fake import FakeEmbedder
from vivavoce.knowledge.extraction import text_of
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.knowledge.stores import NewFile
from vivavoce.store.files import Files
from vivavoce.store.store import Store, open_store
from vivavoce.supervision import Supervisor

OWNER = "alice"


class Shelf:
    """A knowledge service with its store. ``embedder`` is the fake one unless given."""

    def __init__(self, config: Config, store: Store, embedder: Embedder) -> None:
        self.store = store
        self.parsers = Parsers()

        async def extract(path: Path, extension: str, owner: str) -> str:
            return await text_of(self.parsers, path, extension, owner)

        self.files = Files(store, extract)
        self.supervisor = Supervisor()
        self.knowledge = KnowledgeService(
            config, store, self.files, self.parsers, embedder, lambda: False, supervisor=self.supervisor
        )

    async def add(
        self, store_id: str, text: str, name: str = "manual.md", *, owner: str = OWNER, **attributes: Any
    ) -> str:
        async def chunks() -> AsyncIterator[bytes]:
            yield text.encode()

        file = await self.files.create(owner, name, "retrieval-text", chunks())
        await self.knowledge.add_files(owner, store_id, [NewFile(file.id, attributes=attributes)])
        return file.id

    async def settled(self, store_id: str) -> None:
        async with asyncio.timeout(30):
            while (await self.knowledge.stores.counts([store_id]))[store_id]["in_progress"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def open_shelf(
    folder: Path, *, embedder: Embedder | None = None, url: str | None = None, opened: bool = True, **settings: Any
) -> AsyncIterator[Shelf]:
    """A shelf in ``folder``, or with its rows at ``url``; ``settings`` are those of ``[knowledge]``.

    Not ``opened``, nothing is read into the index until ``shelf.knowledge.open()``.
    """
    where = {"url": url or f"sqlite:///{folder / 'vivavoce.db'}", "blobs": str(folder / "blobs")}
    changes = {"storage": StorageConfig.model_validate(where), "knowledge": KnowledgeConfig(**settings)}
    config = load_config(profile="fake").model_copy(update=changes)
    store = await open_store(config)
    shelf = Shelf(config, store, embedder or FakeEmbedder())
    if opened:
        await shelf.knowledge.open()
    try:
        yield shelf
    finally:
        await shelf.knowledge.close()
        await shelf.parsers.close()
        await store.close()
