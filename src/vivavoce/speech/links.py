"""Files of speech behind addresses nobody can guess, for 12 hours (audio reference, section 1.2)."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterable, Callable
from hashlib import sha256

from sqlalchemy import func, select

from vivavoce.errors import CapacityError, ClientError
from vivavoce.speech.tables import SpeechFileRow
from vivavoce.store.store import Store

VALID_S = 12 * 3600
MOST_LINKS = 1000
"""Of one owner at a time."""

MOST_BYTES = 512 * 1024 * 1024
"""More than the longest input makes at the slowest speed and the highest rate."""

SECRET_BYTES = 32


class SpeechLinks:
    """The files of a store. Whoever has the secret may fetch the file: players send no key. ``clock``: s of the epoch."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def keep(self, owner: str, chunks: AsyncIterable[bytes], content_type: str) -> tuple[str, int]:
        """Keep a file while it is being made: (the secret of its address, when it expires in s of the epoch).

        Raises ``CapacityError`` when the owner has too many, and what ``chunks`` raises; then nothing is left behind.
        """
        await self.clear()
        async with self._store.reading() as session:
            mine = select(func.count()).select_from(SpeechFileRow).where(SpeechFileRow.owner == owner)
            if (await session.scalar(mine) or 0) >= MOST_LINKS:
                raise CapacityError("addresses of speech files", MOST_LINKS)
        blob = await self._store.blobs.put(chunks, most_bytes=MOST_BYTES)
        secret, expires_at = secrets.token_urlsafe(SECRET_BYTES), int(self._clock()) + VALID_S
        async with self._store.rows.begin() as session:
            session.add(
                SpeechFileRow(
                    digest=_digest(secret),
                    owner=owner,
                    blob=blob.key,
                    content_type=content_type,
                    bytes=blob.size_bytes,
                    expires_at=expires_at,
                )
            )
            await self._store.blobs.adopt(session, blob.key)
        return secret, expires_at

    async def find(self, secret: str) -> SpeechFileRow:
        """The file of this secret. Raises ``ClientError`` (``file_not_found``) when there is none or its time is over."""
        async with self._store.reading() as session:
            file = await session.get(SpeechFileRow, _digest(secret))
        if file is None or file.expires_at <= self._clock():
            raise ClientError("There is no such file, or its 12 hours are over.", code="file_not_found")
        return file

    async def clear(self) -> None:
        """Delete the files whose time is over."""
        async with self._store.reading() as session:
            over = (
                await session.scalars(select(SpeechFileRow).where(SpeechFileRow.expires_at <= int(self._clock())))
            ).all()
        for file in over:
            async with self._store.rows.begin() as session:
                row = await session.get(SpeechFileRow, file.digest)
                if row is None:
                    continue
                await session.delete(row)
                await self._store.blobs.release(session, file.blob)
            await self._store.blobs.delete(file.blob)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
