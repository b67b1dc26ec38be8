"""Files of speech behind addresses nobody can guess, for 12 hours (audio reference, section 1.2)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from hashlib import sha256

from sqlalchemy import func, select

from vivavoce.errors import CapacityError, ClientError, StoreError
from vivavoce.speech.tables import SpeechFileRow
from vivavoce.store.store import Store

VALID_S = 12 * 3600
MAX_LINKS = 1000
"""Of one owner at a time."""

MAX_BYTES = 512 * 1024 * 1024
"""More than the longest input makes at the slowest speed and the highest rate."""

SECRET_BYTES = 32
CHUNKS_AHEAD = 8


class SpeechLinks:
    """The files of a store. Whoever has the secret may fetch the file: players send no key. ``clock``: s of the epoch."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def keep(self, owner: str, chunks: AsyncGenerator[bytes, None], content_type: str) -> tuple[str, int]:
        """Keep a file while it is being made: (the secret of its address, when it expires in s of the epoch).

        Raises ``CapacityError`` when the owner has too many, ``ClientError`` when they keep too much, and what ``chunks``
        raises; then nothing is left behind.
        """
        await self.clear()
        async with self._store.reading() as session:
            await self._store.quota.require(session, owner)
            count_own = select(func.count()).select_from(SpeechFileRow).where(SpeechFileRow.owner == owner)
            if (await session.scalar(count_own) or 0) >= MAX_LINKS:
                raise CapacityError("addresses of speech files", MAX_LINKS)
        async with _relayed(chunks) as relayed:
            blob = await self._store.blobs.put(relayed, max_bytes=MAX_BYTES)
        secret, expires_at = secrets.token_urlsafe(SECRET_BYTES), int(self._clock()) + VALID_S
        row = SpeechFileRow(
            digest=_digest(secret),
            owner=owner,
            blob=blob.key,
            content_type=content_type,
            bytes=blob.size_bytes,
            expires_at=expires_at,
        )
        try:
            async with self._store.rows.begin() as session:
                await self._store.quota.require(session, owner, blob.size_bytes)
                session.add(row)
                await self._store.blobs.adopt(session, blob.key)
        except ClientError:
            await self._store.blobs.delete(blob.key)
            raise
        return secret, expires_at

    async def find(self, secret: str) -> SpeechFileRow:
        """The file of this secret. Raises ``ClientError`` (``file_not_found``) when there is none or its time is over."""
        async with self._store.reading() as session:
            file = await session.get(SpeechFileRow, _digest(secret))
        if file is None or file.expires_at <= self._clock():
            raise ClientError("There is no such file, or it has expired (12 hours).", code="file_not_found")
        return file

    async def clear(self) -> None:
        """Delete the files whose time is over."""
        async with self._store.reading() as session:
            expired = (
                await session.scalars(select(SpeechFileRow).where(SpeechFileRow.expires_at <= int(self._clock())))
            ).all()
        for file in expired:
            async with self._store.rows.begin() as session:
                row = await session.get(SpeechFileRow, file.digest)
                if row is None:
                    continue
                await session.delete(row)
                await self._store.blobs.release(session, file.blob)
            await self._store.blobs.delete(file.blob)


@asynccontextmanager
async def _relayed(chunks: AsyncGenerator[bytes, None]) -> AsyncIterator[AsyncIterator[bytes]]:
    """The same chunks, made by a task of ours that is over when the block is left, however it is left.

    The object store goes on waiting for the next chunk when it is cancelled, and would keep the synthesizer at work.
    """
    chunks_made: asyncio.Queue[bytes | None] = asyncio.Queue(CHUNKS_AHEAD)
    producer = asyncio.create_task(_fill(chunks_made, chunks))
    try:
        yield _drain(chunks_made, producer)
    finally:
        producer.cancel()
        await asyncio.wait({producer})
        while not chunks_made.empty():
            chunks_made.get_nowait()
        chunks_made.put_nowait(None)


async def _fill(chunks_made: asyncio.Queue[bytes | None], chunks: AsyncGenerator[bytes, None]) -> None:
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                await chunks_made.put(chunk)
    except Exception:
        await chunks_made.put(None)
        raise
    await chunks_made.put(None)


async def _drain(chunks_made: asyncio.Queue[bytes | None], producer: asyncio.Task[None]) -> AsyncIterator[bytes]:
    while (chunk := await chunks_made.get()) is not None:
        yield chunk
    if producer.cancelled():
        raise StoreError("The file was given up.")
    await producer


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
