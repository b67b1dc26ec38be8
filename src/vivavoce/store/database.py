"""The relational store: SQLite by default, PostgreSQL by URL, through one code path."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from filelock import AsyncFileLock
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from vivavoce.errors import StoreError

BUSY_TIMEOUT_S = 15.0
"""How long a writer waits for another one before it gives up."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_MIGRATION_LOCK = 0x76697661766F6365
"""The number of PostgreSQL's advisory lock ("vivavoce" in ASCII): one server migrates, the others wait."""


class Database:
    """An open database.

    ``rows`` makes sessions that may write; ``reading`` makes sessions that only read and, on SQLite, wait for no writer::

        async with database.rows.begin() as session:  # commits at the end
            session.add(row)

    What is stored stays out of the errors of the database, and so out of the log.
    """

    def __init__(self, url: str) -> None:
        """``url`` as SQLAlchemy writes it; the driver may be left out. Raises ``StoreError``."""
        self._url = _with_driver(url)
        try:
            self._engine = create_async_engine(self._url, hide_parameters=True, **_options(self._url))
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(f"Cannot use the database {self.name}: {error}") from error
        if self.is_sqlite:
            _make_sqlite_durable(self._engine)
        self.rows = async_sessionmaker(self._engine, expire_on_commit=False)
        self.reading = async_sessionmaker(self._engine.execution_options(reads_only=True), expire_on_commit=False)

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
        except (SQLAlchemyError, OSError) as error:
            # The message of a driver may hold its URL; the kind of error and its first cause say enough.
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"Cannot open the database {self.name}: {type(cause).__name__}: {cause}") from error

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _migrate_sqlite(self) -> None:
        file = Path(self._url.database or "")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = AsyncFileLock(file.with_name(file.name + ".lock"), timeout=BUSY_TIMEOUT_S, mode=0o600)
        async with lock, self._engine.begin() as connection:
            await connection.run_sync(_upgrade)
        await asyncio.to_thread(file.chmod, 0o600)  # digests of keys, and whose files there are

    async def _migrate_postgresql(self) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            await connection.run_sync(_upgrade)


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


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": BUSY_TIMEOUT_S}}
    return {"pool_pre_ping": True, "pool_recycle": 1800}  # connections a proxy or a restart has cut are replaced


def _make_sqlite_durable(engine: AsyncEngine) -> None:
    """A log of writes beside the file (WAL): readers do not wait, and what was committed survives a kill at any time.

    ``synchronous = FULL`` writes the log through to the disk with every commit, so that it survives a power cut as well;
    writes are rare here, and a commit costs a millisecond or two. Python's own transactions are turned off: they begin too
    late to cover reads and tables.

    Writing transactions say so from their beginning (``BEGIN IMMEDIATE``): one that reads first and writes later would fail,
    instead of waiting, when another wrote in between.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
