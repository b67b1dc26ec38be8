"""Reads files into the index, one at a time, behind everything else the server does.

The work to be done is the rows that are ``in_progress`` (``LeaseQueue``): a file whose reading was cut short is read again
from its beginning, and what there was of it is forgotten first. Only what went wrong with the file counts as its
failure, not that a server ended while it read it, however that came. A row becomes ``completed`` only after the index
holds all its passages for good.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress

from vivavoce.config.keeping import KnowledgeConfig
from vivavoce.engines.base import Embedder
from vivavoce.errors import EngineError, StoreBusyError, StoreError, StoreFullError, VivavoceError
from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.index.base import IndexedFile, PassageIndex
from vivavoce.knowledge.parsing.errors import UnreadableCode, UnreadableError
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.passages import Chunker, Passage, PassageSize
from vivavoce.knowledge.tables import VectorStoreFileRow
from vivavoce.store.files import Files
from vivavoce.store.leases import LeaseQueue
from vivavoce.store.store import Store
from vivavoce.store.tables import FileRow
from vivavoce.types import EmbedOptions

log = logging.getLogger(__name__)

LEASE_S = 10
"""How long a file stays a server's that says nothing any more. Should it wake up after all, it puts nothing more in."""

REPORT_S = 1.0
"""How often progress is written down, and with it looked whether the work is still wanted."""

POLL_INTERVAL_S = 5.0
"""How often a server looks for work nobody told it of: another one's that was cut short."""

BATCH = 16
MAX_ATTEMPTS = 5
RETRY_S = 10
"""After the first failure that may pass; three times as long after each one more, near seven minutes in all."""

MAX_LEASE_S = RETRY_S * 3**MAX_ATTEMPTS

NO_TEXT = "The document holds no text."
GAVE_UP = "The document could not be read into the index; the server's log says why."
TOO_MANY = "The document makes more passages than one may have: cut it into several."


class _WithdrawnError(Exception):
    """The file was taken out, or put in again, while it was being read."""


class Ingest:
    """The background work on the files of ``queue``.

    ``busy`` says whether somebody is being talked to: then half of the time is left to them.
    """

    def __init__(
        self,
        store: Store,
        files: Files,
        index: PassageIndex,
        parsers: Parsers,
        embedder: Embedder,
        config: KnowledgeConfig,
        busy: Callable[[], bool],
    ) -> None:
        self._store = store
        self._files = files
        self._index = index
        self._parsers = parsers
        self._embedder = embedder
        self._config = config
        self._busy = busy
        self.queue = LeaseQueue(
            store,
            VectorStoreFileRow,
            # A file that was put in again has another position.
            key=(VectorStoreFileRow.store_id, VectorStoreFileRow.file_id, VectorStoreFileRow.position),
            pending=VectorStoreFileRow.status == "in_progress",
            order=(VectorStoreFileRow.position,),
            lease_s=LEASE_S,
            max_lease_s=MAX_LEASE_S,
        )

    async def step(self) -> bool:
        """Read one file; whether there was one. Raises ``StoreError``: the file is read again later."""
        async with self.queue.next() as row:
            if row is not None:
                await self._process(row)
        return row is not None

    # ---- one file

    def _size(self, row: VectorStoreFileRow) -> PassageSize:
        tokens = row.passage_tokens or self._config.passage_tokens
        overlap = row.overlap_tokens if row.overlap_tokens is not None else self._config.overlap_tokens
        return PassageSize(tokens, min(overlap, tokens // 2))

    async def _process(self, row: VectorStoreFileRow) -> None:
        try:
            async with self.queue.renewing(row):
                await self._read(row)
        except UnreadableError as error:
            await self._failed(row, error.code, error.message)
        except (StoreBusyError, StoreFullError):
            # No fault of the file's. Others have their turn first, should it be this one only that cannot be read now.
            with suppress(StoreError):  # then its lease ends by itself
                await self.queue.postpone(row, RETRY_S)
            raise
        except _WithdrawnError:
            log.info("a file was taken out, or begun anew, while it was being read")
        except Exception as error:  # noqa: BLE001 (logged there; it must not keep the others from being read)
            await self._retry_or_fail(row, error)

    async def _retry_or_fail(self, row: VectorStoreFileRow, error: Exception) -> None:
        """The file is tried again later, unless that is of no use or was done often enough."""
        failures = row.attempts + 1
        expected = isinstance(error, VivavoceError)
        reason = error if expected else type(error).__name__
        if failures < MAX_ATTEMPTS and not (isinstance(error, EngineError) and not error.retriable):
            log.warning("reading a file into the index is put off: %s", reason, exc_info=None if expected else error)
            await self.queue.postpone(row, RETRY_S * 3 ** (failures - 1), attempts=failures)
        else:
            log.error("reading a file into the index failed: %s", reason, exc_info=None if expected else error)
            await self._failed(row, "server_error", GAVE_UP)

    async def _failed(self, row: VectorStoreFileRow, code: UnreadableCode, message: str) -> None:
        await self.queue.write(row, status="failed", error_code=code, error_message=message)

    async def _read(self, row: VectorStoreFileRow) -> None:
        """All passages into the index, or none."""
        async with self._store.reading() as session:
            file = await session.get(FileRow, row.file_id)
        if file is None:
            raise _WithdrawnError
        number = await self._index.begin(IndexedFile(row.store_id, row.file_id))
        try:
            passages, size = await self._index_file(row, file, number)
            values = {"passages": passages, "usage_bytes": size, "embedder": self._embedder.name}
            completed = {"status": "completed", "progress": 1.0, "error_code": None, "error_message": None}
            if not await self._index.finish(number) or not await self.queue.write(row, **completed, **values):
                raise _WithdrawnError
        except Exception:
            try:
                await self._index.abandon(number)
            except StoreError as error:  # what caused it is more telling; the next attempt begins with forgetting it
                log.warning("half of a document is left in the index: %s", error)
            raise
        log.info("read a file of %d bytes into %d passages", file.bytes, passages)

    async def _index_file(self, row: VectorStoreFileRow, file: FileRow, number: int) -> tuple[int, int]:
        """All passages of a file; how many there are, and how many bytes of text."""
        stem, _, extension = file.filename.rpartition(".")
        chunker = Chunker(self._size(row), stem)
        batch, reported_at = _Batch(self, number), time.monotonic()
        async with (
            self._files.path(file) as path,
            aclosing(self._parsers.read(path, extension.lower(), file.owner)) as steps,
        ):
            async for share, blocks in steps:
                await self._add_blocks(chunker, blocks, batch)
                if time.monotonic() - reported_at > REPORT_S:
                    reported_at = time.monotonic()
                    # The last hundredth is finishing.
                    await self._report(row, min(share, 0.99))
        for passage in chunker.finish():
            await batch.add(passage)
        await batch.flush()
        if not batch.passages:
            raise UnreadableError("invalid_file", NO_TEXT)
        await self._report(row, 0.99)
        return batch.passages, batch.bytes

    async def _add_blocks(self, chunker: Chunker, blocks: Sequence[Block], batch: _Batch) -> None:
        for passage in await asyncio.to_thread(lambda: list(chunker.take(blocks))):
            await batch.add(passage)
            if batch.passages > self._config.most_passages:
                raise UnreadableError("invalid_file", TOO_MANY)

    async def _report(self, row: VectorStoreFileRow, share: float) -> None:
        if not await self.queue.write(row, progress=share):
            raise _WithdrawnError

    async def embed(self, number: int, passages: Sequence[Passage]) -> None:
        """Passages of a document that was begun into the index, and a rest afterwards when somebody is being talked to."""
        started = time.monotonic()
        vectors = await self._embedder.embed([passage.whole for passage in passages], EmbedOptions())
        await self._index.add(number, passages, vectors)
        await asyncio.sleep(time.monotonic() - started if self._busy() else 0)


class _Batch:
    """Passages of one document, embedded several at a time."""

    def __init__(self, ingest: Ingest, number: int) -> None:
        self._ingest = ingest
        self._number = number
        self._pending: list[Passage] = []
        self.passages = 0
        self.bytes = 0

    async def add(self, passage: Passage) -> None:
        self._pending.append(passage)
        self.passages += 1
        self.bytes += len(passage.text.encode())
        if len(self._pending) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        if self._pending:
            await self._ingest.embed(self._number, self._pending)
            self._pending = []
