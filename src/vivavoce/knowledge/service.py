"""Everything about documents behind one class: vector stores, their index, reading files in, and search."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url, select, tuple_, update

from vivavoce.config import Config
from vivavoce.engines.base import Embedder
from vivavoce.errors import ClientError, StoreBusyError, StoreError, StoreFullError
from vivavoce.knowledge.answerability import CALIBRATED
from vivavoce.knowledge.filters import Filter
from vivavoce.knowledge.index.base import IndexedFile, PassageIndex
from vivavoce.knowledge.ingest import POLL_INTERVAL_S, Ingest
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.search import DEPTH, Hit, fused
from vivavoce.knowledge.sentence_scoring import SentenceScorer
from vivavoce.knowledge.stores import NewFile, NewStore, VectorStores
from vivavoce.knowledge.tables import VectorStoreFileRow, VectorStoreRow
from vivavoce.knowledge.words import terms_of
from vivavoce.store.files import Files
from vivavoce.store.relocation import index_name
from vivavoce.store.store import Store, database_url
from vivavoce.supervision import Supervisor, Worker
from vivavoce.types import EmbedOptions, Vectors

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 600.0
USAGE_WRITE_INTERVAL_S = 5.0
MARK_BATCH = 200
TEXTS_OF_ALL_KINDS = (
    "The weather will stay dry and sunny until the weekend.",
    "Press and hold the button for five seconds to reset the device.",
    "Article 12: the tenant pays the rent on the first day of each month.",
    "She looked out of the window and thought of the sea.",
    "Model: X200; Price: 499 EUR; Weight: 1.2 kg; In stock: yes",
    "def read(path): return open(path).read()",
    "The committee approved the budget for the coming year.",
    "Take one tablet twice a day after meals.",
    "How do I change my password?",
    "The cell divides when its chromosomes have been copied.",
    "本周天气晴朗，周末可能有小雨。",
    "长按按钮五秒钟即可恢复出厂设置。",
    "第十二条 承租人应于每月一日支付租金。",
    "她望着窗外，想起了大海。",
    "型号：X200；价格：499元；重量：1.2千克；有货",
    "委员会批准了下一年度的预算。",
    "饭后服用，每日两次，每次一片。",
    "怎样修改我的密码？",
    "细胞在染色体复制之后分裂。",
    "会议定于星期三下午三点在二号会议室举行。",
)
"""What all texts have in common, the index learns from these."""


class KnowledgeService:
    """Made by ``open``. ``stores`` are the rows; whatever touches passages goes through the methods here.

    ``sentence_scorer`` compares sentences of passages with a question; ``calibrated``: their similarity tells of an answer.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        files: Files,
        parsers: Parsers,
        embedder: Embedder,
        busy: Callable[[], bool],
        supervisor: Supervisor,
    ) -> None:
        self.config = config.knowledge
        self.calibrated = embedder.name in CALIBRATED
        self.sentence_scorer = SentenceScorer(embedder)
        self.embedder = embedder
        self.stores = VectorStores(store, config.knowledge.most_stores)
        self._store = store
        self._files = files
        self._index = self._make_index(config)
        self._ingest = Ingest(store, files, self._index, parsers, embedder, config.knowledge, busy)
        self._supervisor = supervisor
        self._reader: Worker | None = None
        self._sweepers: list[Worker] = []
        self._consistent = False

    async def open(self) -> None:
        """Open the index and begin to work. Raises ``StoreError``."""
        emptied = await self._store.database.delete_with_reserve(self._index.open)
        if self._store.database.is_sqlite:
            await self._ingest.queue.release_all_leases()
        if emptied:
            log.info("the index is new, or of another embedder: all files are read into it again")
        with suppress(StoreBusyError, StoreFullError):  # then it is tidied up as soon as that is possible
            await self._reconcile()
        self._reader = self._supervisor.start("ingest", self._ingest.step, idle_s=POLL_INTERVAL_S)
        self._sweepers = [
            self._supervisor.start("index", self._sweep_index, idle_s=SWEEP_INTERVAL_S),
            self._supervisor.start("usage of vector stores", self._write_touches, idle_s=USAGE_WRITE_INTERVAL_S),
        ]

    async def close(self) -> None:
        """Stop the work, which goes on where it was when the server runs again."""
        workers = (*self._sweepers, self._reader)
        await asyncio.gather(*(worker.stop() for worker in workers if worker is not None))
        await self._index.close()

    # ---- stores and files, in and out

    async def create_store(self, owner: str, new: NewStore, files: Sequence[NewFile] = ()) -> VectorStoreRow:
        """A new store with these files, or (``ClientError``) none at all."""
        row = await self.stores.create(owner, new)
        if files:
            try:
                await self.add_files(owner, row.id, files)
            except ClientError:
                await self.delete_store(owner, row.id)
                raise
        return row

    async def add_files(
        self, owner: str, store_id: str, files: Sequence[NewFile], *, batch_id: str | None = None
    ) -> Sequence[VectorStoreFileRow]:
        """Put files into a store; they are read in the background. Raises ``ClientError`` as ``VectorStores`` does."""
        rows = await self.stores.add_files(owner, store_id, files, batch_id=batch_id)
        if self._reader is not None:
            self._reader.wake()
        return rows

    async def delete_file(self, owner: str, file_id: str) -> None:
        """Delete a file, and its passages in whatever store. Raises ``ClientError`` (``file_not_found``)."""
        row = VectorStoreFileRow
        async with self._store.reading() as session:
            stores = (await session.scalars(select(row.store_id).where(row.file_id == file_id))).all()
        await self._files.delete(owner, file_id)
        await self._forget(self._index.forget([IndexedFile(store_id, file_id) for store_id in stores]))

    async def remove_file(self, owner: str, store_id: str, file_id: str) -> None:
        """Take a file out of a store, with all its passages. Raises ``ClientError``."""
        await self.stores.remove_file(owner, store_id, file_id)
        await self._forget(self._index.forget([IndexedFile(store_id, file_id)]))

    async def delete_store(self, owner: str, store_id: str) -> None:
        """Delete a store with all its passages. Raises ``ClientError``."""
        await self.stores.delete(owner, store_id)
        await self._forget(self._index.forget_store(store_id))

    async def sweep(self) -> None:
        """Delete the passages nothing refers to any more: of files that were deleted, and of stores whose time is over."""
        for row in await self.stores.expired():
            await self.stores.drop(row.id)
            await self._index.forget_store(row.id)
        indexed = await self._index.documents()
        await self._index.forget(indexed - await self._expected_documents())

    async def passages(self, owner: str, store_id: str, file_id: str) -> list[Passage]:
        """The passages of a file in a store. Raises ``ClientError``."""
        await self.stores.file(owner, store_id, file_id)
        return await self._index.passages(IndexedFile(store_id, file_id))

    # ---- search

    async def search(
        self, owner: str, store_id: str, question: str, limit: int, *, filters: Filter | None = None
    ) -> list[Hit]:
        """The passages of a store that answer ``question`` best, of files whose attributes ``filters`` lets through.

        Raises ``ClientError`` (``vector_store_not_found``) and ``EngineError``.
        """
        await self.stores.get(owner, store_id)
        vector = (await self.embedder.embed([question], EmbedOptions(query=True)))[0]
        files = None
        if filters is not None:
            attributes = await self.stores.attributes(store_id)
            files = [file_id for file_id, values in attributes.items() if filters(values)]
        candidates = await self._index.search(store_id, vector, terms_of(question), max(limit, DEPTH), files)
        ranked = fused(candidates, limit)
        names = await self.stores.filenames([candidate.file_id for candidate, _ in ranked])
        return [
            Hit(candidate.file_id, names[candidate.file_id], candidate.passage, score, candidate.similarity)
            for candidate, score in ranked
            if candidate.file_id in names
        ]

    # ---- inside

    def _make_index(self, config: Config) -> PassageIndex:
        """With SQLite a file beside the database, unless the configuration says where."""
        if not self._store.database.is_sqlite:
            from vivavoce.knowledge.index.postgres import PostgresIndex

            return PostgresIndex(self._store.database, self.embedder.name, self._examples)
        from vivavoce.knowledge.index.sqlite import SqliteIndex  # its libraries come with an extra

        database = Path(make_url(database_url(config)).database or "")
        path = config.knowledge.index or database.with_name(index_name(database))
        return SqliteIndex(path, self.embedder.name, self._examples)

    async def _examples(self) -> Vectors:
        return await self.embedder.embed(TEXTS_OF_ALL_KINDS, EmbedOptions())

    async def _expected_documents(self) -> set[IndexedFile]:
        row = VectorStoreFileRow
        query = select(row.store_id, row.file_id).where(row.status.in_(("in_progress", "completed")))
        async with self._store.reading() as session:
            return {IndexedFile(store_id, file_id) for store_id, file_id in await session.execute(query)}

    async def _reconcile(self) -> None:
        """Bring rows and index in step after a kill, a lost index or another embedder."""
        await self.sweep()
        indexed = await self._index.documents()
        row = VectorStoreFileRow
        async with self._store.reading() as session:
            completed = await session.execute(select(row.store_id, row.file_id).where(row.status == "completed"))
            missing = [(store, file) for store, file in completed if IndexedFile(store, file) not in indexed]
        for start in range(0, len(missing), MARK_BATCH):
            statement = update(row).where(tuple_(row.store_id, row.file_id).in_(missing[start : start + MARK_BATCH]))
            async with self._store.rows.begin() as session:
                await session.execute(statement.values(status="in_progress", progress=0.0, attempts=0, leased_until=0))
        self._consistent = True

    async def _sweep_index(self) -> bool:
        await (self.sweep() if self._consistent else self._reconcile())
        return False

    async def _write_touches(self) -> bool:
        await self.stores.write_touches()
        return False

    async def _forget(self, deletion: Awaitable[None]) -> None:
        """Passages whose rows are gone are found by nobody; those that cannot be deleted now are swept later."""
        try:
            await deletion
        except StoreError as error:
            log.warning("passages are left to be swept: %s", error)
