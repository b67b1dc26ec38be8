"""Migrations lead from nothing to the tables the code has, on both databases; and a server may start at any time."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import vivavoce
from vivavoce.errors import StoreError
from vivavoce.store.database import Database, migrations
from vivavoce.store.store import Store
from vivavoce.store.tables import Base

TABLES = [
    module.name
    for module in pkgutil.walk_packages(vivavoce.__path__, "vivavoce.")
    if module.name.endswith(".tables") and module.name.count(".") == 2
]


def test_there_is_one_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(migrations())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


async def test_the_migrations_lead_to_the_tables_of_the_code(store: Store) -> None:
    assert "vivavoce.store.tables" in TABLES
    for module in TABLES:
        importlib.import_module(module)

    def differences(connection: Connection) -> list[object]:
        known = set(Base.metadata.tables)
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                # an engine of its own (a vector index) may keep tables the code does not describe
                "include_name": lambda name, kind, _: kind != "table" or name in known,
            },
        )
        return list(compare_metadata(context, Base.metadata))

    async with store.reading() as session:
        found = await (await session.connection()).run_sync(differences)
    assert found == []


async def test_servers_that_start_at_once_do_not_get_in_each_others_way(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    try:
        await asyncio.gather(*(database.migrate() for database in databases))
        async with databases[0].reading() as session:
            connection = await session.connection()
            assert "files" in await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    finally:
        for database in databases:
            await database.close()


async def test_sqlite_is_durable_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "vivavoce.db"
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    async with database.reading() as session:
        pragmas = [
            await session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    made = list(file.parent.glob("vivavoce.db*"))
    assert {one.suffix for one in made} >= {".db", ".db-wal", ".db-shm"}
    assert not [one for one in made if one.stat().st_mode & 0o077]
    await database.close()


async def test_the_log_of_an_older_version_is_closed_to_others(tmp_path: Path) -> None:
    """It was made with the mode the database had at first, and stayed after a kill."""
    file = tmp_path / "vivavoce.db"
    first = Database(f"sqlite:///{file}")
    await first.migrate()
    async with first.rows.begin() as session:
        await session.execute(text("DELETE FROM keys"))
    log = file.with_name("vivavoce.db-wal")
    log.chmod(0o644)
    second = Database(f"sqlite:///{file}")
    await second.migrate()
    assert log.stat().st_mode & 0o077 == 0
    await second.close()
    await first.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:secret@host/db", "not supported"),
        ("nonsense", "not one"),
        ("sqlite://", "in memory"),
        ("postgresql://me:secret@127.0.0.1:1/none", "Cannot open the database postgresql"),
    ],
)
async def test_what_cannot_be_opened_is_said_without_the_password(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as refused:
        await Database(url).migrate()
    assert "secret" not in str(refused.value)
