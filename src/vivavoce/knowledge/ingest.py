"""Reads files into the index, one at a time, behind everything else the server does.

The work to be done is the rows that are ``in_progress``, so it survives the process: a file whose reading was cut short is
read again from its beginning, and what there was of it is forgotten first. Only what went wrong with the file counts as its
failure, not that a server ended while it read it, however that came. A row becomes ``completed`` only after the index
holds all its passages for good.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from sqlalchemy import select, update

from vivavoce.config.keeping import KnowledgeConfig
from vivavoce.engines.base import Embedder
from vivavoce.errors import EngineError, StoreBusyError, StoreError, StoreFullError, VivavoceError
from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.index.base import Document, PassageIndex
from vivavoce.knowledge.parsing.errors import UnreadableCode, UnreadableError
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.passages import Cutter, Passage, PassageSize
from vivavoce.knowledge.tables import VectorStoreFileRow
from vivavoce.store.files import Files
from vivavoce.store.leases import is_free
from vivavoce.store.store import Store
from vivavoce.store.tables import FileRow
from vivavoce.supervision import meanwhile
from vivavoce.types import EmbedOptions

log = logging.getLogger(__name__)

LEASE_S = 10
"""How long a file stays a server's that says nothing any more. Should it wake up after all, it puts nothing more in."""

HOLD_S = 2.5
"""How often a server at work says so."""

REPORT_S = 1.0
"""How often progress is written down, and with it looked whether the work is still wanted."""

LOOK_S = 5.0
"""How often a server looks for work nobody told it of: another one's that was cut short."""

MOST_SERVED = 1000
"""Owners who had a turn in this round. With more of them than that, the others wait in the order they came."""

BATCH = 16
MOST_ATTEMPTS = 5
RETRY_S = 10
"""After the first failure that may pass; three times as long after each one more, near seven minutes in all."""

LONGEST_LEASE_S = RETRY_S * 3**MOST_ATTEMPTS

NO_TEXT = "The document holds no text."
GAVE_UP = "The document could not be read into the index; the server's log says why."
TOO_MANY = "The document makes more passages than one may have: cut it into several."


class _UnwantedError(Exception):
    """The file was taken out, or put in again, while it was being read."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A file to be read. ``position`` tells it from the same file put in again, ``failures`` is how often it was put off."""

    document: Document
    position: int
    failures: int
    size: PassageSize
    file: FileRow


class Ingest:
    """The background work. ``busy`` says whether somebody is being talked to: then half of the time is left to them."""

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
        self._served: set[str] = set()

    async def take_over(self) -> None:
        """No other server works on this store: what is leased was an earlier process's."""

        async def free() -> None:
            leased = update(VectorStoreFileRow).where(VectorStoreFileRow.leased_until > 0)
            async with self._store.rows.begin() as session:
                await session.execute(leased.values(leased_until=0))

        await self._store.database.freeing(free)

    async def step(self) -> bool:
        """Read one file; whether there was one. Raises ``StoreError``: the file is read again later."""
        job = await self._next()
        if job is not None:
            await self._work(job)
        return job is not None

    # ---- one file

    async def _next(self) -> _Job | None:
        """The file that has waited longest, leased to this server; of each owner one in turn."""
        now = int(time.time())
        waiting = (
            select(VectorStoreFileRow)
            .where(
                VectorStoreFileRow.status == "in_progress",
                is_free(VectorStoreFileRow.leased_until, now, LONGEST_LEASE_S),
            )
            .order_by(VectorStoreFileRow.position)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        async with self._store.rows.begin() as session:
            row = await session.scalar(waiting.where(VectorStoreFileRow.owner.not_in(self._served)))
            if row is None and self._served:
                self._served.clear()
                row = await session.scalar(waiting)
            if row is None:
                return None
            if len(self._served) < MOST_SERVED:
                self._served.add(row.owner)
            file = await session.get(FileRow, row.file_id)
            assert file is not None  # a file takes its rows with it
            row.leased_until = now + LEASE_S
            document = Document(row.store_id, row.file_id)
            return _Job(document, row.position, row.attempts, self._size(row), file)

    def _size(self, row: VectorStoreFileRow) -> PassageSize:
        tokens = row.passage_tokens or self._config.passage_tokens
        overlap = row.overlap_tokens if row.overlap_tokens is not None else self._config.overlap_tokens
        return PassageSize(tokens, min(overlap, tokens // 2))

    async def _work(self, job: _Job) -> None:
        try:
            async with meanwhile("the lease of a file", lambda: self._lease(job), every_s=HOLD_S):
                passages = await self._read(job)
            log.info("read a file of %d bytes into %d passages", job.file.bytes, passages)
        except UnreadableError as error:
            await self._failed(job, error.code, error.message)
        except (StoreBusyError, StoreFullError):
            # No fault of the file's. Others have their turn first, should it be this one only that cannot be read now.
            with suppress(StoreError):  # then its lease ends by itself
                await self._note(job, leased_until=int(time.time()) + RETRY_S)
            raise
        except _UnwantedError:
            log.info("a file was taken out, or begun anew, while it was being read")
        except asyncio.CancelledError:
            # The server ends: the next one shall not wait.
            with suppress(StoreError):
                await asyncio.shield(self._note(job, leased_until=0))
            raise
        except Exception as error:  # noqa: BLE001 (logged there; it must not keep the others from being read)
            await self._stumbled(job, error)

    async def _stumbled(self, job: _Job, error: Exception) -> None:
        """The file is tried again later, unless that is of no use or was done often enough."""
        failures = job.failures + 1
        known = isinstance(error, VivavoceError)
        said = error if known else type(error).__name__
        if failures < MOST_ATTEMPTS and not (isinstance(error, EngineError) and not error.retriable):
            log.warning("reading a file into the index is put off: %s", said, exc_info=None if known else error)
            wait_s = RETRY_S * 3 ** (failures - 1)
            await self._note(job, leased_until=int(time.time()) + wait_s, attempts=failures)
        else:
            log.error("reading a file into the index failed: %s", said, exc_info=None if known else error)
            await self._failed(job, "server_error", GAVE_UP)

    async def _failed(self, job: _Job, code: UnreadableCode, message: str) -> None:
        await self._note(job, status="failed", error_code=code, error_message=message)

    async def _read(self, job: _Job) -> int:
        """All passages into the index, or none; how many there are."""
        begun = await self._index.begin(job.document)
        try:
            passages, size = await self._put_in(job, begun)
            values = {"passages": passages, "usage_bytes": size, "embedder": self._embedder.name}
            done = {"status": "completed", "progress": 1.0, "error_code": None, "error_message": None}
            if not await self._index.finish(begun) or not await self._note(job, **done, **values):
                raise _UnwantedError
            return passages
        except Exception:
            try:
                await self._index.abandon(begun)
            except StoreError as error:  # what caused it is more telling; the next attempt begins with forgetting it
                log.warning("half of a document is left in the index: %s", error)
            raise

    async def _put_in(self, job: _Job, begun: int) -> tuple[int, int]:
        """All passages of a file; how many there are, and how many bytes of text."""
        stem, _, ending = job.file.filename.rpartition(".")
        cutter = Cutter(job.size, stem)
        batch, reported = _Batch(self, begun), time.monotonic()
        async with (
            self._files.path(job.file) as path,
            aclosing(self._parsers.read(path, ending.lower(), job.file.owner)) as steps,
        ):
            async for share, blocks in steps:
                await self._put(cutter, blocks, batch)
                if time.monotonic() - reported > REPORT_S:
                    reported = time.monotonic()
                    # The last hundredth is finishing.
                    await self._report(job, min(share, 0.99))
        for passage in cutter.finish():
            await batch.take(passage)
        await batch.flush()
        if not batch.passages:
            raise UnreadableError("invalid_file", NO_TEXT)
        await self._report(job, 0.99)
        return batch.passages, batch.bytes

    async def _put(self, cutter: Cutter, blocks: Sequence[Block], batch: _Batch) -> None:
        for passage in await asyncio.to_thread(lambda: list(cutter.take(blocks))):
            await batch.take(passage)
            if batch.passages > self._config.most_passages:
                raise UnreadableError("invalid_file", TOO_MANY)

    async def _report(self, job: _Job, share: float) -> None:
        if not await self._note(job, progress=share):
            raise _UnwantedError

    async def _lease(self, job: _Job) -> None:
        """The file stays this server's, however long a step takes."""
        await self._note(job, leased_until=int(time.time()) + LEASE_S)

    async def _note(self, job: _Job, **values: object) -> bool:
        """Write to the job's row, if it still is; whether it was."""
        row = VectorStoreFileRow
        here = (row.store_id == job.document.store_id) & (row.file_id == job.document.file_id)
        change = update(row).where(here, row.position == job.position, row.status == "in_progress").values(**values)
        async with self._store.rows.begin() as session:
            result = await session.execute(change.returning(row.position))
            return result.first() is not None

    async def embed(self, begun: int, passages: Sequence[Passage]) -> None:
        """Passages of a document that was begun into the index, and a rest afterwards when somebody is being talked to."""
        began = time.monotonic()
        vectors = await self._embedder.embed([passage.whole for passage in passages], EmbedOptions())
        await self._index.add(begun, passages, vectors)
        await asyncio.sleep(time.monotonic() - began if self._busy() else 0)


class _Batch:
    """Passages of one document, embedded several at a time."""

    def __init__(self, ingest: Ingest, begun: int) -> None:
        self._ingest = ingest
        self._begun = begun
        self._waiting: list[Passage] = []
        self.passages = 0
        self.bytes = 0

    async def take(self, passage: Passage) -> None:
        self._waiting.append(passage)
        self.passages += 1
        self.bytes += len(passage.text.encode())
        if len(self._waiting) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        if self._waiting:
            await self._ingest.embed(self._begun, self._waiting)
            self._waiting = []
