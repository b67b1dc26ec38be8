"""What drivers and disks say, in the store's words; and a store that is full."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from obstore.exceptions import GenericError, NotFoundError
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vivavoce.config import load_config
from vivavoce.errors import ClientError, StoreBusyError, StoreError, StoreFullError
from vivavoce.store import database as database_module
from vivavoce.store.disk_space import RESERVE_BYTES, DiskSpace
from vivavoce.store.failures import store_error
from vivavoce.store.leases import is_free
from vivavoce.store.store import Store, open_store
from vivavoce.store.tables import OrphanBlob


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("it does not work")
    error.sqlite_errorcode = code
    return error


class OfPostgres(Exception):  # noqa: N818
    """As SQLAlchemy's adapter of asyncpg passes errors on."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("it does not work")
        self.sqlstate = sqlstate


def wrapped(error: Exception) -> DBAPIError:
    return DBAPIError("SELECT", {}, error)


BUSY = [
    of_sqlite(sqlite3.SQLITE_BUSY),
    of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT),
    of_sqlite(sqlite3.SQLITE_IOERR_READ),
    of_sqlite(sqlite3.SQLITE_CANTOPEN),
    PoolTimeoutError(),
    ConnectionRefusedError(),
    TimeoutError(),
    asyncpg.CannotConnectNowError("it starts"),
    asyncpg.InterfaceError("connection is closed"),
    wrapped(OfPostgres("57P01")),
    wrapped(OfPostgres("55P03")),
    wrapped(OfPostgres("53300")),
    GenericError("error sending request"),
]
FULL = [
    of_sqlite(sqlite3.SQLITE_FULL),
    wrapped(of_sqlite(sqlite3.SQLITE_FULL)),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    GenericError("Unable to write: No space left on device (os error 28)"),
    asyncpg.DiskFullError("full"),
    wrapped(OfPostgres("53100")),
]
OTHER = [
    of_sqlite(sqlite3.SQLITE_CONSTRAINT),
    IntegrityError("INSERT", {}, OfPostgres("23505")),
    asyncpg.UniqueViolationError("twice"),
    asyncpg.InvalidPasswordError("no"),
    NotFoundError("no such blob"),
    ClientError("no such file"),
    KeyError("a bug"),
]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        *((error, StoreBusyError) for error in BUSY),
        *((error, StoreFullError) for error in FULL),
        *((error, None) for error in OTHER),
    ],
)
def test_what_an_error_means(error: BaseException, kind: type[StoreError] | None) -> None:
    found = store_error(error)
    assert type(found) is (kind or type(None))


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Store]:
    """A store on SQLite, to be made as full as a test likes."""
    storage = {"url": f"sqlite:///{tmp_path / 'vivavoce.db'}", "blobs": str(tmp_path / "blobs")}
    store = await open_store(load_config({"storage": storage}, profile="fake"))
    yield store
    await store.close()


async def bound(store: Store, more: int) -> None:
    """SQLite may take so many pages more, for as long as it keeps its one connection that writes."""
    async with store.rows.begin() as session:
        pages = await session.scalar(text("PRAGMA page_count"))
        await session.execute(text(f"PRAGMA max_page_count = {pages + more}"))


async def fill(store: Store) -> None:
    """Until not even one row has room."""
    for rows in (100, 1):
        with contextlib.suppress(StoreFullError):
            for n in range(10_000):
                async with store.rows.begin() as session:
                    session.add_all(OrphanBlob(key=f"{rows}/{n:04}/{m:050}", since=2**40) for m in range(rows))


async def blob(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_a_full_store_takes_nothing_in_until_it_has_room_again(small: Store) -> None:
    await bound(small, 20)
    await fill(small)
    disk_space = small.database.disk_space
    assert disk_space.full
    with pytest.raises(StoreFullError):
        await small.blobs.put(blob(b"more"), max_bytes=10)
    with pytest.raises(StoreFullError):
        await small.blobs.probe_disk_space()
    async with small.reading() as session:
        assert await session.scalar(select(OrphanBlob.key).limit(1))
    await bound(small, 1000)
    await small.blobs.probe_disk_space()
    disk_space.require()
    await small.blobs.put(blob(b"more"), max_bytes=10)


async def test_what_deletes_gets_the_room_that_was_held_back(small: Store, tmp_path: Path) -> None:
    reserve = tmp_path / "vivavoce.db.reserve"
    assert reserve.stat().st_size == RESERVE_BYTES
    reserve_existed = []

    async def delete() -> str:
        reserve_existed.append(reserve.exists())
        if reserve.exists():
            raise StoreFullError("no room for the log")
        return "deleted"

    assert await small.database.delete_with_reserve(delete) == "deleted"
    assert reserve_existed == [True, False]
    small.database.disk_space.note_full()
    await small.blobs.probe_disk_space()
    assert reserve.stat().st_size == RESERVE_BYTES


async def test_without_anything_held_back_a_deletion_fails(small: Store) -> None:
    tried = 0

    async def delete() -> None:
        nonlocal tried
        tried += 1
        raise StoreFullError("no room for the log")

    with pytest.raises(StoreFullError):
        await small.database.delete_with_reserve(delete)
    with pytest.raises(StoreFullError):
        await small.database.delete_with_reserve(delete)
    assert tried == 3  # the second time there was nothing to give up


def test_a_reserve_that_cannot_be_whole_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    disk_space = DiskSpace(tmp_path / "reserve")
    assert not disk_space.ensure_reserve()
    assert not (tmp_path / "reserve").exists()


async def test_readers_have_connections_of_their_own(small: Store) -> None:
    """Any number of writers may wait for one."""
    async with small.rows.begin() as session:
        await session.execute(text("SELECT 1"))
        waiting = [asyncio.create_task(small.blobs.put(blob(b"x"), max_bytes=10)) for _ in range(20)]
        for _ in range(5):
            async with asyncio.timeout(2), small.reading() as reading:
                assert await reading.scalar(text("SELECT 1")) == 1
    await asyncio.gather(*waiting)


async def test_who_waits_too_long_for_a_writer_is_told(
    tmp_path: Path, small: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.1)
    impatient = database_module.Database(f"sqlite:///{tmp_path / 'vivavoce.db'}")
    async with small.rows.begin() as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(StoreBusyError, match="locked"):
            async with impatient.rows.begin() as other:
                await other.execute(text("SELECT 1"))
    await impatient.close()


async def test_a_blob_that_was_swept_while_it_was_written_is_not_adopted(
    small: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set forward by a day: acknowledged, it would not be there."""
    kept = await small.blobs.put(blob(b"mine"), max_bytes=10)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400)
    assert await small.blobs.sweep() == 1
    with pytest.raises(StoreError, match="not there any more"):
        async with small.rows.begin() as session:
            await small.blobs.adopt(session, kept.key)


async def test_a_lease_of_before_the_clock_was_set_back_is_free(small: Store) -> None:
    now = 1_000_000
    leases = {"over": now - 1, "held": now + 60, "of the future": now + 3600}
    async with small.rows.begin() as session:
        session.add_all(OrphanBlob(key=key, since=until) for key, until in leases.items())
    async with small.reading() as session:
        free = (await session.scalars(select(OrphanBlob.key).where(is_free(OrphanBlob.since, now, 60)))).all()
    assert set(free) == {"over", "of the future"}
