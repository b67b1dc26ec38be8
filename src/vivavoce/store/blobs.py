"""The blob store: bytes under a key, in a folder or in an S3-compatible bucket.

A blob is there whole or not at all: it is written beside its place and moved there when the last byte has come. And it is
never lost sight of: until a row refers to it, it is listed as loose, in the same transaction that makes the row the listing
ends (``adopt``), and the other way round when the row goes (``release``). So a process may be killed at any moment; what it
left behind is loose, and ``sweep`` deletes it when it is old.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from vivavoce.errors import ClientError, StoreError, StoreFullError
from vivavoce.store.database import Database
from vivavoce.store.failures import store_error
from vivavoce.store.tables import OrphanBlob
from vivavoce.waiting import first_of

log = logging.getLogger(__name__)

PART_BYTES = 5 * 1024 * 1024
"""The smallest part S3 takes; two of them are in memory at most."""

SINCE_DELETING = 0
"""``since`` of a loose blob that is being deleted for good."""

PROBED_ROWS = 256
"""One might find a place between others, where there is no room for the next page."""

PIECE_BYTES = 256 * 1024
"""What is read at a time."""

WRITE_TIMEOUT_S = 3600
"""A blob that is not written in this time is given up; one that is loose for longer was left behind."""

ABORT_TIMEOUT_S = 10.0
"""How long the store may take to remove the parts of a blob that is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What was written: its key, its size, and the SHA-256 of its bytes in hex."""

    key: str
    size_bytes: int
    sha256: str


class Blobs:
    """Blobs in an object store. ``folder`` is where they lie if that is a folder of this machine."""

    def __init__(self, objects: ObjectStore, database: Database, folder: Path | None = None) -> None:
        self._objects = objects
        self._database = database
        self._folder = folder

    async def put(self, content: AsyncIterable[bytes] | bytes, *, max_bytes: int) -> Blob:
        """Write a stream, or bytes. The blob is loose until a row adopts it.

        An error of the stream, or being cancelled, leaves nothing behind. Raises ``ClientError`` (``request_too_large``)
        beyond ``max_bytes``, and ``StoreError``.
        """
        self._database.disk_space.require()
        return await self._put(_as_stream(content) if isinstance(content, bytes) else content, max_bytes)

    async def probe_disk_space(self) -> None:
        """Whether there is room again: write something, and delete it. Raises ``StoreFullError`` and other ``StoreError``."""
        disk_space = self._database.disk_space
        if not await asyncio.to_thread(disk_space.ensure_reserve):
            raise StoreFullError("The reserve is not whole.")

        async with self._database.rows.begin() as session:
            session.add_all(OrphanBlob(key=f"probe/{_new_key()}", since=SINCE_DELETING) for _ in range(PROBED_ROWS))
        async with self._database.rows.begin() as session:
            await session.execute(delete(OrphanBlob).where(OrphanBlob.key.startswith("probe/")))
        blob = await self._put(_as_stream(bytes(PIECE_BYTES)), PIECE_BYTES)
        await self.delete(blob.key)
        disk_space.note_available()

    async def _put(self, chunks: AsyncIterable[bytes], max_bytes: int) -> Blob:
        key = _new_key()
        async with self._database.rows.begin() as session:
            session.add(OrphanBlob(key=key, since=int(time.time())))
        counted = _Counted(chunks, max_bytes)
        writing = asyncio.ensure_future(
            obstore.put_async(self._objects, key, counted, chunk_size=PART_BYTES, max_concurrency=2)
        )
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await asyncio.shield(writing)
            if self._folder is not None:
                await asyncio.to_thread(_write_through, self._folder / key)
        except BaseException as error:
            await counted.abort(writing)
            await self.delete(key)
            if isinstance(error, BaseError | OSError) and error is not counted.error:
                translated = _store_failure("write to", error)
                if isinstance(translated, StoreFullError):
                    self._database.disk_space.note_full()
                raise translated from error
            raise
        return Blob(key, counted.size_bytes, counted.digest.hexdigest())

    async def adopt(self, session: AsyncSession, key: str) -> None:
        """A row of this session's transaction refers to the blob from now on.

        Raises ``StoreError`` when it has been swept: the clock was set forward, or writing it took an hour.
        """
        statement = (
            delete(OrphanBlob).where(OrphanBlob.key == key, OrphanBlob.since > SINCE_DELETING).returning(OrphanBlob.key)
        )
        if (await session.scalars(statement)).first() is None:
            raise StoreError("The blob is not there any more.")

    async def release(self, session: AsyncSession, key: str) -> None:
        """No row refers to it any more once this session's transaction is committed. Then ``delete`` it."""
        session.add(OrphanBlob(key=key, since=int(time.time())))

    async def delete(self, key: str) -> bool:
        """Delete a loose blob; one that is not there is no mistake. What cannot be deleted stays loose, and this is false."""

        async def forget() -> None:
            async with self._database.rows.begin() as session:
                await session.execute(delete(OrphanBlob).where(OrphanBlob.key == key))

        try:
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._objects, key)
            if self._folder is not None:
                await asyncio.to_thread(_remove_drafts, self._folder / key)
            await self._database.delete_with_reserve(forget)
        except (BaseError, OSError, StoreError) as error:
            log.warning("a blob is left to be swept: %s", type(error).__name__)
            return False
        return True

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """The bytes of a blob, in pieces. Raises ``StoreError`` at once when it is not there, and where reading fails."""
        try:
            blob = await obstore.get_async(self._objects, key)
        except (BaseError, OSError) as error:
            raise _store_failure("read from", error) from error

        async def pieces() -> AsyncIterator[bytes]:
            try:
                async for piece in blob.stream(min_chunk_size=PIECE_BYTES):
                    yield bytes(piece)
            except (BaseError, OSError) as error:
                raise _store_failure("read from", error) from error

        return pieces()

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """The same, opened when the first piece is wanted."""
        async for piece in await self.open(key):
            yield piece

    async def head(self, key: str, size_bytes: int) -> bytes:
        """The first bytes of a blob, at most ``size_bytes``. Raises ``StoreError``."""
        data = bytearray()
        async for piece in self.stream(key):
            data += piece
            if len(data) >= size_bytes:
                break
        return bytes(data[:size_bytes])

    @asynccontextmanager
    async def path(self, key: str) -> AsyncIterator[Path]:
        """The blob as a file to read for the length of a block, for libraries that want one. Raises ``StoreError``."""
        if self._folder is not None:
            if not (self._folder / key).is_file():
                raise StoreError("Cannot read from the blob store: the blob is missing")
            yield self._folder / key
            return
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="vivavoce-"))
        try:
            with await asyncio.to_thread((folder / "blob").open, "wb") as file:
                async for piece in self.stream(key):
                    await asyncio.to_thread(file.write, piece)
            yield folder / "blob"
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def sweep(self, older_than_s: float = WRITE_TIMEOUT_S) -> int:
        """Delete blobs that have been loose for so long; how many that were."""
        cutoff = int(time.time() - older_than_s)
        async with self._database.reading() as session:
            keys = (await session.scalars(select(OrphanBlob.key).where(OrphanBlob.since <= cutoff))).all()
        return sum([await self._sweep(key, cutoff) for key in keys])

    async def _sweep(self, key: str, cutoff: int) -> bool:
        """Delete one that is still loose; from then on no row can adopt it."""

        async def mark() -> bool:
            condition = OrphanBlob.key == key, OrphanBlob.since <= cutoff
            statement = update(OrphanBlob).where(*condition).values(since=SINCE_DELETING).returning(OrphanBlob.key)
            async with self._database.rows.begin() as session:
                return (await session.scalars(statement)).first() is not None

        return await self._database.delete_with_reserve(mark) and await self.delete(key)


async def _as_stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


class _Counted:
    """A stream that counts and hashes what passes, and ends with an error when it is too much."""

    def __init__(self, chunks: AsyncIterable[bytes], max_bytes: int) -> None:
        self._chunks = chunks
        self._max_bytes = max_bytes
        self.size_bytes = 0
        self.digest = sha256()
        self._aborted = asyncio.get_running_loop().create_future()
        self.error: BaseException | None = None
        """What the stream, and not the store, failed with."""

    async def abort(self, writing: asyncio.Future[Any]) -> None:
        """End the stream with an error and let ``writing`` end by it, which removes the parts it has sent.

        If it were cancelled, a bucket would keep them for ever.
        """
        if not self._aborted.done():
            self._aborted.set_result(None)
        await asyncio.wait({writing}, timeout=ABORT_TIMEOUT_S)
        writing.cancel()
        await asyncio.wait({writing})

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        next_chunk, _ = await first_of(anext(chunks, None), asyncio.shield(self._aborted))
        if self._aborted.done():
            raise StoreError("The blob was given up.")
        chunk: bytes | None = next_chunk.result()
        return chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._chunks)
        try:
            while (chunk := await self._next(chunks)) is not None:
                self.size_bytes += len(chunk)
                if self.size_bytes > self._max_bytes:
                    raise too_large(self._max_bytes)
                self.digest.update(chunk)
                yield chunk
        except Exception as error:
            self.error = error
            raise


def too_large(max_bytes: int) -> ClientError:
    """The refusal of more bytes than are allowed."""
    return ClientError(f"The file is larger than {max_bytes} bytes.", code="request_too_large", param="file")


def _store_failure(action: str, error: Exception) -> StoreError:
    """What is missing stays missing; whatever else a disk or a bucket says may pass."""
    translated = None if isinstance(error, FileNotFoundError) else store_error(error)
    error_type = StoreError if translated is None else type(translated)
    return error_type(f"Cannot {action} the blob store: {type(error).__name__}")


def _new_key() -> str:
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name}"


def _write_through(file: Path) -> None:
    """Until the bytes, and the file's name in its folder, are on the disk and not only in the system's memory."""
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_drafts(file: Path) -> None:
    """What a killed process had written of a blob: the folder store writes beside the place, with a number behind."""
    for draft in file.parent.glob(file.name + "#*"):
        draft.unlink(missing_ok=True)
