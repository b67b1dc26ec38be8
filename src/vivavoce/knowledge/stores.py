"""The vector stores of a server, each its owner's alone, and the files in them (platform reference, section 8)."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Delete, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from vivavoce.errors import CapacityError, ClientError
from vivavoce.knowledge.tables import VectorStoreFileRow, VectorStoreRow
from vivavoce.store.paging import Page, paged
from vivavoce.store.store import Store
from vivavoce.store.tables import FileRow

Status: TypeAlias = Literal["in_progress", "completed", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = ("in_progress", "completed", "failed", "cancelled")

NAME = re.compile(r"(?!_)[\w\-. ]{1,255}", re.UNICODE)
"""Letters of any script, digits, underscore, not beginning with one (the platform's rule); spaces, dots and hyphens are
taken as well, because OpenAI's clients use them."""

SEARCHABLE_PURPOSES = frozenset({"retrieval-text", "retrieval", "assistants", "user_data", "file-extract"})
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is to be put into a store."""

    file_id: str
    description: str = ""
    attributes: Mapping[str, Any] | None = None
    passage_tokens: int | None = None
    overlap_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class NewStore:
    """A store that is to be made. ``details`` is OpenAI's ``metadata``."""

    name: str
    description: str = ""
    details: Mapping[str, Any] | None = None
    expires_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that were put into a store together: when (seconds of the epoch), and how many there are of each status."""

    created_at: int
    counts: Mapping[str, int]

    @property
    def status(self) -> Literal["in_progress", "completed", "cancelled", "failed"]:
        """That of the whole: read as long as one is, and failed only where none was read."""
        if self.counts["in_progress"]:
            return "in_progress"
        if self.counts["cancelled"]:
            return "cancelled"
        return "failed" if self.counts["failed"] == self.counts["total"] else "completed"


Listed: TypeAlias = tuple[Sequence[VectorStoreRow], bool]
ListedFiles: TypeAlias = tuple[Sequence[VectorStoreFileRow], bool]


class VectorStores:
    """Rows only: passages are the index's, reading files into it is the ingest's."""

    def __init__(self, store: Store, max_stores: int) -> None:
        self._store = store
        self._max_stores = max_stores
        self._last_used: dict[str, int] = {}

    async def create(self, owner: str, new: NewStore) -> VectorStoreRow:
        """A new, empty store. Raises ``ClientError`` for a name that breaks the rules, or one store too many."""
        now = int(time.time())
        row = VectorStoreRow(
            id=new_store_id(),
            owner=owner,
            name=checked_name(new.name),
            description=new.description,
            details=json.dumps(new.details or {}),
            created_at=now,
            last_active_at=now,
            expires_after_days=new.expires_after_days,
        )
        async with self._store.rows.begin() as session:
            count = select(func.count()).select_from(VectorStoreRow).where(VectorStoreRow.owner == owner)
            if (await session.scalar(count) or 0) >= self._max_stores:
                raise CapacityError("places for vector stores", self._max_stores)
            session.add(row)
        return row

    async def get(self, owner: str, store_id: str) -> VectorStoreRow:
        """One store. Raises ``ClientError`` (``vector_store_not_found``) also for another owner's."""
        async with self._store.reading() as session:
            row = await session.get(VectorStoreRow, store_id)
        if row is None or row.owner != owner or expired(row):
            raise no_store(store_id)
        return row

    async def page(self, owner: str, page: Page) -> Listed:
        """A page of an owner's stores, and whether there are more. Raises ``ClientError`` for an unknown cursor."""
        query = select(VectorStoreRow).where(VectorStoreRow.owner == owner)
        async with self._store.reading() as session:
            return await paged(session, query, VectorStoreRow.id, page, lambda cursor: cursor)

    async def change(self, owner: str, store_id: str, changes: Mapping[str, Any]) -> VectorStoreRow:
        """Change columns of a store. Raises ``ClientError``."""
        await self.get(owner, store_id)
        if "name" in changes:
            checked_name(changes["name"])
        if changes:
            async with self._store.rows.begin() as session:
                await session.execute(update(VectorStoreRow).where(VectorStoreRow.id == store_id).values(**changes))
        return await self.get(owner, store_id)

    def touch(self, store_id: str) -> None:
        """Somebody searched it: a store that expires does so later. Written down by ``write_touches``: nobody waits for it."""
        self._last_used[store_id] = int(time.time())

    async def write_touches(self) -> None:
        """Write down which stores were used. Raises ``StoreError``: then it is done the next time."""
        last_used = dict(self._last_used)
        if not last_used:
            return
        async with self._store.rows.begin() as session:
            for store_id, now in last_used.items():
                older = VectorStoreRow.id == store_id, VectorStoreRow.last_active_at < now
                await session.execute(update(VectorStoreRow).where(*older).values(last_active_at=now))
        self._last_used = {store_id: now for store_id, now in self._last_used.items() if now != last_used.get(store_id)}

    async def delete(self, owner: str, store_id: str) -> None:
        """Delete the rows of a store and its files. Raises ``ClientError`` (``vector_store_not_found``)."""
        await self.get(owner, store_id)
        await self.drop(store_id)

    async def drop(self, store_id: str) -> None:
        """Delete the rows of a store, whosever it is; one that is not there is no mistake."""
        await self._delete(delete(VectorStoreRow).where(VectorStoreRow.id == store_id))

    async def expired(self) -> Sequence[VectorStoreRow]:
        """The stores whose time is over."""
        is_over = VectorStoreRow.last_active_at + VectorStoreRow.expires_after_days * SECONDS_A_DAY <= int(time.time())
        async with self._store.reading() as session:
            rows = await session.scalars(
                select(VectorStoreRow).where(VectorStoreRow.expires_after_days.is_not(None), is_over)
            )
            return rows.all()

    # ---- files

    async def add_files(
        self, owner: str, store_id: str, files: Sequence[NewFile], *, batch_id: str | None = None
    ) -> Sequence[VectorStoreFileRow]:
        """Put files into a store, to be read in the background: all of them or, with an error, none.

        A file that is there already is read again. Raises ``ClientError``: no such store or file, a file of a purpose
        that is not for this.
        """
        await self.get(owner, store_id)
        async with self._store.rows.begin() as session:
            await self._store.quota.require(session, owner)
            rows = []
            first = int(time.time() * 1000) * 1000
            for number, new in enumerate(files):
                await _require_file(session, owner, new.file_id)
                await session.execute(
                    delete(VectorStoreFileRow).where(
                        VectorStoreFileRow.store_id == store_id, VectorStoreFileRow.file_id == new.file_id
                    )
                )
                rows.append(_new_row(owner, store_id, new, first + number, batch_id))
            session.add_all(rows)
            await session.flush()
        return rows

    async def file(self, owner: str, store_id: str, file_id: str) -> VectorStoreFileRow:
        """One file of a store. Raises ``ClientError`` (``vector_store_not_found``, ``file_not_found``)."""
        await self.get(owner, store_id)
        async with self._store.reading() as session:
            row = await session.get(VectorStoreFileRow, (store_id, file_id))
        if row is None:
            raise ClientError(
                f"There is no file '{file_id[:100]}' in this vector store.", code="file_not_found", param="file_id"
            )
        return row

    async def files(
        self,
        owner: str,
        store_id: str,
        page: Page,
        *,
        status: Status | None = None,
        batch_id: str | None = None,
    ) -> ListedFiles:
        """A page of a store's files, and whether there are more. Raises ``ClientError``."""
        await self.get(owner, store_id)
        query = select(VectorStoreFileRow).where(VectorStoreFileRow.store_id == store_id)
        if status is not None:
            query = query.where(VectorStoreFileRow.status == status)
        if batch_id is not None:
            query = query.where(VectorStoreFileRow.batch_id == batch_id)
        async with self._store.reading() as session:
            positions = {
                cursor: await session.scalar(
                    select(VectorStoreFileRow.position).where(
                        VectorStoreFileRow.store_id == store_id, VectorStoreFileRow.file_id == cursor
                    )
                )
                for cursor in page.cursors
            }
            return await paged(session, query, VectorStoreFileRow.position, page, positions.__getitem__)

    async def change_file(self, owner: str, store_id: str, file_id: str, attributes: Mapping[str, Any]) -> None:
        """Change the attributes of a file in a store. Raises ``ClientError``."""
        await self.file(owner, store_id, file_id)
        async with self._store.rows.begin() as session:
            row = await session.get(VectorStoreFileRow, (store_id, file_id))
            if row is not None:
                row.attributes = json.dumps(attributes)

    async def remove_file(self, owner: str, store_id: str, file_id: str) -> None:
        """Take a file out of a store; the file itself stays. Raises ``ClientError``."""
        await self.file(owner, store_id, file_id)
        condition = VectorStoreFileRow.store_id == store_id, VectorStoreFileRow.file_id == file_id
        await self._delete(delete(VectorStoreFileRow).where(*condition))

    async def _delete(self, rows: Delete) -> None:
        async def drop() -> None:
            async with self._store.rows.begin() as session:
                await session.execute(rows)

        await self._store.database.delete_with_reserve(drop)

    async def cancel_batch(self, owner: str, store_id: str, batch_id: str) -> None:
        """What of a batch is not read yet will not be. Raises ``ClientError``."""
        await self.get(owner, store_id)
        async with self._store.rows.begin() as session:
            await session.execute(
                update(VectorStoreFileRow)
                .where(
                    VectorStoreFileRow.store_id == store_id,
                    VectorStoreFileRow.batch_id == batch_id,
                    VectorStoreFileRow.status == "in_progress",
                )
                .values(status="cancelled")
            )

    async def batch(self, owner: str, store_id: str, batch_id: str) -> Batch:
        """How far the files of a batch are. Raises ``ClientError`` (``batch_not_found``)."""
        rows, _ = await self.files(owner, store_id, Page(limit=1, ascending=True), batch_id=batch_id)
        if not rows:
            raise ClientError(f"There is no batch '{batch_id[:100]}'.", code="batch_not_found", param="batch_id")
        return Batch(rows[0].created_at, (await self.counts([store_id], batch_id=batch_id))[store_id])

    async def counts(self, store_ids: Sequence[str], *, batch_id: str | None = None) -> dict[str, dict[str, int]]:
        """How many files of each status stores have, ``total``, and the ``bytes`` of their passages."""
        columns = (VectorStoreFileRow.store_id, VectorStoreFileRow.status)
        sums = func.count(), func.coalesce(func.sum(VectorStoreFileRow.usage_bytes), 0)
        query = select(*columns, *sums).where(VectorStoreFileRow.store_id.in_(store_ids)).group_by(*columns)
        if batch_id is not None:
            query = query.where(VectorStoreFileRow.batch_id == batch_id)
        counts: dict[str, dict[str, int]] = {
            store_id: {**dict.fromkeys(STATUSES, 0), "total": 0, "bytes": 0} for store_id in store_ids
        }
        async with self._store.reading() as session:
            for store_id, status, count, size in await session.execute(query):
                counts[store_id][status] += count
                counts[store_id]["total"] += count
                counts[store_id]["bytes"] += int(size)
        return counts

    async def attributes(self, store_id: str, file_ids: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """The attributes of files in a store; of all files unless ``file_ids`` says which."""
        row = VectorStoreFileRow
        query = select(row.file_id, row.attributes).where(row.store_id == store_id)
        if file_ids is not None:
            query = query.where(row.file_id.in_(file_ids))
        async with self._store.reading() as session:
            return {file_id: json.loads(attributes) for file_id, attributes in await session.execute(query)}

    async def filenames(self, file_ids: Sequence[str]) -> dict[str, str]:
        """Names of files, those that are still there."""
        async with self._store.reading() as session:
            rows = await session.execute(select(FileRow.id, FileRow.filename).where(FileRow.id.in_(file_ids)))
            return {file_id: name for file_id, name in rows}  # noqa: C416  rows are not typed as pairs


def checked_name(name: str) -> str:
    """A store's name. Raises ``ClientError`` for one that breaks the rules."""
    if not NAME.fullmatch(name):
        raise ClientError(
            "A vector store's name has letters, digits and underscores, and does not begin with an underscore.",
            param="name",
        )
    return name


def new_store_id() -> str:
    """A decimal number of 18 digits that grows with time (platform reference, section 4)."""
    return f"{int(time.time() * 1000)}{secrets.randbelow(100_000):05d}"


def expired(row: VectorStoreRow) -> bool:
    """Whether nobody has used a store for longer than it was to be kept."""
    ends_at = expires_at(row)
    return ends_at is not None and ends_at <= time.time()


def expires_at(row: VectorStoreRow) -> int | None:
    """When a store's time will be over, in seconds of the epoch."""
    days = row.expires_after_days
    return None if days is None else row.last_active_at + days * SECONDS_A_DAY


def no_store(store_id: str) -> ClientError:
    """The refusal of a store that is not there, or is another owner's."""
    return ClientError(
        f"There is no vector store '{store_id[:100]}'.", code="vector_store_not_found", param="vector_store_id"
    )


async def _require_file(session: AsyncSession, owner: str, file_id: str) -> None:
    file = await session.get(FileRow, file_id)
    if file is None or file.owner != owner:
        raise ClientError(f"There is no file '{file_id[:100]}'.", code="file_not_found", param="file_id")
    if file.purpose not in SEARCHABLE_PURPOSES:
        raise ClientError(
            f"Files of the purpose '{file.purpose}' cannot be searched; upload it for 'retrieval-text'.",
            code="unsupported_file",
            param="file_id",
        )


def _new_row(owner: str, store_id: str, new: NewFile, position: int, batch_id: str | None) -> VectorStoreFileRow:
    return VectorStoreFileRow(
        store_id=store_id,
        file_id=new.file_id,
        owner=owner,
        position=position,
        status="in_progress",
        progress=0.0,
        error_code=None,
        error_message=None,
        description=new.description,
        attributes=json.dumps(new.attributes or {}),
        passage_tokens=new.passage_tokens,
        overlap_tokens=new.overlap_tokens,
        embedder=None,
        passages=0,
        usage_bytes=0,
        batch_id=batch_id,
        attempts=0,
        leased_until=0,
        created_at=int(time.time()),
    )
