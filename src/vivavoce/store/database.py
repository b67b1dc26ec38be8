"""The relational store: SQLite by default, PostgreSQL by URL, through one code path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from filelock import AsyncFileLock
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from vivavoce.errors import StoreError, StoreFullError
from vivavoce.extras import missing_extra
from vivavoce.store.disk_space import DiskSpace
from vivavoce.store.sql_sessions import SqlSessions

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
"""How long one waits for another writer, for a connection, or for a server to take one, before the store counts as busy."""

MIGRATION_TIMEOUT_S = 60.0
"""How long a server that starts waits for another one that is bringing the tables up to date."""

READ_TIMEOUT_S, WRITE_TIMEOUT_S = 10.0, 60.0
"""What one transaction may take of a PostgreSQL that may be silent for ever: its machine gone, its process stopped."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_MIGRATION_LOCK = 0x76697661766F6365
"""The number of PostgreSQL's advisory lock ("vivavoce" in ASCII): one server migrates, the others wait."""


class Database:
    """An open database.

    ``rows`` makes sessions that may write; ``reading`` makes sessions that only read. Each has connections of its own, so
    that readers wait for no writer::

        async with database.rows.begin() as session:  # commits at the end
            session.add(row)

    Both raise ``StoreBusyError`` and ``StoreFullError`` for what the drivers call by many names. What is stored stays out of
    the errors of the database, and so out of the log.
    """

    def __init__(self, url: str) -> None:
        """``url`` as SQLAlchemy writes it; the driver may be left out. Raises ``StoreError``."""
        self._url = _with_driver(url)
        if not self.is_sqlite and (missing := missing_extra("postgres", "a PostgreSQL database")):
            raise StoreError(missing)
        self.disk_space = DiskSpace(self._sibling(".reserve") if self.is_sqlite else None)
        try:
            self._writers = self._engine(BUSY_TIMEOUT_S, **_pool(one_at_a_time=self.is_sqlite))
            self._readers = self._engine(BUSY_TIMEOUT_S, reads_only=True, **_pool())
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(f"Cannot use the database {self.name}: {error}") from error
        read_s, written_s = (None, None) if self.is_sqlite else (READ_TIMEOUT_S, WRITE_TIMEOUT_S)
        self.rows = SqlSessions(self._writers, self.disk_space, timeout_s=written_s)
        self.reading = SqlSessions(self._readers, self.disk_space, timeout_s=read_s)

    @property
    def name(self) -> str:
        """Where it is, without the password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; anything else is PostgreSQL."""
        return self._url.get_backend_name() == "sqlite"

    async def migrate(self) -> None:
        """Bring the tables up to date, also when several servers start at once. Raises ``StoreError``."""
        try:
            if self.is_sqlite:
                await self._migrate_sqlite()
            else:
                await self._migrate_postgresql()
        except CommandError as error:  # Alembic does not know the revision the tables are of
            raise StoreError(
                f"The database {self.name} cannot be brought up to date: {error}. "
                "It was made by a newer version of Vivavoce: run that one, or restore a backup."
            ) from error
        except (SQLAlchemyError, OSError) as error:
            # The message of a driver may hold its URL; the kind of error and its first cause say enough.
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"Cannot open the database {self.name}: {type(cause).__name__}: {cause}") from error

    async def close(self) -> None:
        """Close every connection."""
        await self._readers.dispose()
        await self._writers.dispose()

    async def delete_with_reserve(self, work: Callable[[], Awaitable[T]]) -> T:
        """What ``work`` gives, which deletes: where there is no room even for that, with the one that was held back."""
        try:
            return await work()
        except StoreFullError:
            if not await asyncio.to_thread(self.disk_space.release_reserve):
                raise
        return await work()

    def _sibling(self, suffix: str) -> Path:
        file = Path(self._url.database or "")
        return file.with_name(file.name + suffix)

    def _engine(self, wait_s: float, *, reads_only: bool = False, **pool: Any) -> AsyncEngine:
        arguments = {"timeout": wait_s if self.is_sqlite else BUSY_TIMEOUT_S}  # for a lock; for a server to take us
        engine = create_async_engine(self._url, hide_parameters=True, connect_args=arguments, **pool)
        if self.is_sqlite:
            _make_sqlite_durable(engine, reads_only=reads_only)
        elif not reads_only:
            _bound_waiting(engine, wait_s)
        return engine

    async def _migrate_sqlite(self) -> None:
        file = self._sibling("")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = AsyncFileLock(self._sibling(".lock"), timeout=MIGRATION_TIMEOUT_S, mode=0o600)
        # Digests of keys, and whose files there are. SQLite gives the files beside it the mode the database has just then.
        await asyncio.to_thread(_make_private, file, self._sibling("-wal"), self._sibling("-shm"))
        async with lock:
            await self._migrate_with(_upgrade)

    async def _migrate_postgresql(self) -> None:
        def upgrade(connection: Connection) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            _upgrade(connection)

        await self._migrate_with(upgrade)

    async def _migrate_with(self, upgrade: Callable[[Connection], None]) -> None:
        """On a connection of its own, which waits longer than those that clients wait for."""
        engine = self._engine(MIGRATION_TIMEOUT_S, poolclass=NullPool)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(upgrade)
        finally:
            await engine.dispose()


def migrations() -> AlembicConfig:
    """Alembic's settings: where the migrations are."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return settings


def _upgrade(connection: Connection) -> None:
    settings = migrations()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def _with_driver(url: str) -> URL:
    try:
        # What stands before the colon is fixed first: SQLAlchemy does not know the name "postgres".
        scheme, separator, rest = url.partition("://")
        parsed = make_url(_DRIVERS.get(scheme, scheme) + separator + rest)
    except (ArgumentError, ValueError):
        raise StoreError("The database's URL is not one: sqlite:///… or postgresql://… is wanted.") from None
    if parsed.drivername not in _DRIVERS.values():
        raise StoreError(
            f"The database '{parsed.drivername}' is not supported: sqlite:///… or postgresql://… is wanted."
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError("A database in memory is lost with the process: name a file, sqlite:////path/to/file.")
    return parsed


def _pool(*, one_at_a_time: bool = False) -> dict[str, Any]:
    """Connections that a proxy or a restart has cut are replaced before they are used.

    SQLite has one writer at a time: they queue for its connection in their order, instead of polling a lock.
    """
    size, overflow = (1, 0) if one_at_a_time else (5, 5)
    return {
        "pool_size": size,
        "max_overflow": overflow,
        "pool_timeout": BUSY_TIMEOUT_S,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
    }


def _bound_waiting(engine: AsyncEngine, wait_s: float) -> None:
    """Nobody waits longer than ``wait_s`` for somebody else's lock.

    Said in each transaction and not when connecting: a pooler between us and PostgreSQL takes no settings then.
    """

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_s * 1000:.0f}")


def _make_private(file: Path, *siblings: Path) -> None:
    """Let nobody else read these files; ``file`` is there afterwards. Raises ``OSError``."""
    file.touch(mode=0o600)
    for path in (file, *siblings):
        with suppress(FileNotFoundError):
            path.chmod(0o600)


def _make_sqlite_durable(engine: AsyncEngine, *, reads_only: bool) -> None:
    """A log of writes beside the file (WAL): readers do not wait, and what was committed survives a kill at any time.

    ``synchronous = FULL`` writes the log through to the disk with every commit, so that it survives a power cut as well;
    writes are rare here, and a commit costs a millisecond or two. Python's own transactions are turned off: they begin too
    late to cover reads and tables.

    Writing transactions say so from their beginning (``BEGIN IMMEDIATE``): one that reads first and writes later would fail,
    instead of waiting, when another wrote in between.
    """
    pragmas = ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"]
    if reads_only:
        pragmas.append("query_only = ON")

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        try:
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
        except BaseException:  # on a full disk, for example: nobody else would close it, nor end its thread
            connection.close()
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
