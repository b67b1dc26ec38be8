"""The files clients upload, each its owner's alone (platform reference, section 7)."""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeAlias

from sqlalchemy import func, select

from vivavoce.errors import ClientError
from vivavoce.store.blobs import Blob
from vivavoce.store.file_types import HEAD_BYTES, MAX_BYTES, Purpose, purpose_of
from vivavoce.store.store import Store
from vivavoce.store.tables import FileRow

MAX_FILES = 1000
"""Of one owner (platform reference, section 7)."""

_LETTERS = string.ascii_letters + string.digits


Extract: TypeAlias = Callable[[Path, str, str], Awaitable[str]]
"""A document, its extension (``pdf``), and whose it is → its text. Raises ``ClientError`` when it cannot be read."""


class Files:
    """The uploaded files of a store. ``extract`` reads those whose purpose is their text."""

    def __init__(self, store: Store, extract: Extract) -> None:
        self._store = store
        self._extract = extract

    async def create(
        self,
        owner: str,
        filename: str,
        purpose: str,
        chunks: AsyncIterable[bytes],
        *,
        expires_after_s: int | None = None,
    ) -> FileRow:
        """Keep a stream as a file. Nothing is left behind of one that is refused.

        Raises ``ClientError``: an unknown ``purpose``, a file that is too large, empty, or not of a type its purpose takes
        (told by its first bytes and its name), a document without readable text, one file too many, or more
        than the owner may keep.
        """
        kind = purpose_of(purpose)
        name = plain_name(filename)
        await self._require_room(owner)
        blobs = self._store.blobs
        blob = await blobs.put(chunks, max_bytes=kind.max_bytes)
        text: Blob | None = None
        try:
            content_type = kind.check(name, await blobs.head(blob.key, HEAD_BYTES))
            if kind.extracts:
                text = await self._text_of(blob, name, owner)
            return await self._add_row(owner, name, kind, content_type, blob, text, expires_after_s)
        except BaseException:
            await asyncio.gather(*(blobs.delete(stored.key) for stored in (blob, text) if stored is not None))
            raise

    async def get(self, owner: str, file_id: str) -> FileRow:
        """One file. Raises ``ClientError`` (``file_not_found``) also for another owner's."""
        async with self._store.reading() as session:
            file = await session.get(FileRow, file_id)
        if file is None or file.owner != owner or _expired(file):
            raise ClientError(f"There is no file '{file_id[:100]}'.", code="file_not_found", param="file_id")
        return file

    async def list(self, owner: str, *, purpose: str | None = None, newest_first: bool = True) -> Sequence[FileRow]:
        """All files of an owner, at most ``MAX_FILES``."""
        order = (FileRow.created_at, FileRow.id)
        query = select(FileRow).where(FileRow.owner == owner)
        if purpose is not None:
            query = query.where(FileRow.purpose == purpose)
        query = query.order_by(*(column.desc() if newest_first else column for column in order))
        async with self._store.reading() as session:
            files = (await session.scalars(query)).all()
        return [file for file in files if not _expired(file)]

    async def delete(self, owner: str, file_id: str) -> None:
        """Delete a file and its bytes. Raises ``ClientError`` (``file_not_found``)."""
        await self.get(owner, file_id)
        await self._delete(file_id)

    async def read(self, file: FileRow) -> AsyncIterator[bytes]:
        """The bytes of a file, in pieces. Raises ``StoreError``, at once when they are not there."""
        return await self._store.blobs.open(file.blob)

    async def text(self, file: FileRow) -> AsyncIterator[bytes]:
        """The text of a file that was uploaded for it, in UTF-8, in pieces. Raises as ``read`` does."""
        assert file.text_blob is not None
        return await self._store.blobs.open(file.text_blob)

    def path(self, file: FileRow) -> AbstractAsyncContextManager[Path]:
        """The bytes as a file of this machine, to be read for the length of a block. Raises ``StoreError``."""
        return self._store.blobs.path(file.blob)

    async def sweep(self) -> int:
        """Delete the files whose time is over; how many there were."""
        async with self._store.reading() as session:
            expired = select(FileRow.id).where(FileRow.expires_at <= int(time.time()))
            ids = (await session.scalars(expired)).all()
        for file_id in ids:
            await self._delete(file_id)
        return len(ids)

    async def _require_room(self, owner: str) -> None:
        async with self._store.reading() as session:
            await self._store.quota.require(session, owner)
            count = await session.scalar(select(func.count()).where(FileRow.owner == owner))
        if (count or 0) >= MAX_FILES:
            raise ClientError(f"There are {MAX_FILES} files already; delete some first.", code="too_many_files")

    async def _text_of(self, blob: Blob, name: str, owner: str) -> Blob:
        async with self._store.blobs.path(blob.key) as path:
            text = await self._extract(path, name.rpartition(".")[2].lower(), owner)
        return await self._store.blobs.put(text.encode(), max_bytes=MAX_BYTES)

    async def _add_row(
        self,
        owner: str,
        name: str,
        purpose: Purpose,
        content_type: str,
        blob: Blob,
        text: Blob | None,
        expires_after_s: int | None,
    ) -> FileRow:
        now = int(time.time())
        file = FileRow(
            id=new_id("file-"),
            owner=owner,
            filename=name,
            purpose=purpose.name,
            content_type=content_type,
            bytes=blob.size_bytes,
            sha256=blob.sha256,
            blob=blob.key,
            text_blob=None if text is None else text.key,
            status=purpose.done,
            created_at=now,
            expires_at=None if expires_after_s is None else now + expires_after_s,
        )
        async with self._store.rows.begin() as session:
            await self._store.quota.require(session, owner, blob.size_bytes)
            session.add(file)
            for stored in (blob, text):
                if stored is not None:
                    await self._store.blobs.adopt(session, stored.key)
        return file

    async def _delete(self, file_id: str) -> None:
        """The row first: from then on its blobs are loose, and gone sooner or later whatever happens here."""

        async def drop() -> list[str]:
            async with self._store.rows.begin() as session:
                file = await session.get(FileRow, file_id)
                if file is None:
                    return []  # someone else was quicker
                blobs = [key for key in (file.blob, file.text_blob) if key is not None]
                await session.delete(file)
                for key in blobs:
                    await self._store.blobs.release(session, key)
                return blobs

        blobs = await self._store.database.delete_with_reserve(drop)
        await asyncio.gather(*(self._store.blobs.delete(key) for key in blobs))


def new_id(prefix: str) -> str:
    """An id as the hosted platform makes them: ``file-`` and ten letters and digits (platform reference, section 4)."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(10))


def plain_name(filename: str) -> str:
    """A client's file name without folders and control characters, at most 255 letters. Raises ``ClientError``."""
    name = PureWindowsPath(PurePosixPath(filename).name).name
    name = "".join(letter for letter in name if letter.isprintable()).strip()
    if name in ("", ".", ".."):
        raise ClientError("The file needs a name.", param="file")
    stem, dot, extension = name.rpartition(".")
    return name if len(name) <= 255 else stem[: 255 - len(dot + extension)] + dot + extension[:250]


def _expired(file: FileRow) -> bool:
    return file.expires_at is not None and file.expires_at <= time.time()
