"""A start that fails ends the process, with a reason and an exit code that says so."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from vivavoce.cli.serve import make_server
from vivavoce.config import Config, load_config
from vivavoce.store.database import Database

KEY = {"VIVAVOCE_AUTH__KEYS__ALICE": "the-key-of-alice"}


async def make_newer(url: str) -> None:
    database = Database(url)
    await database.migrate()
    async with database.rows.begin() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'v999'"))
    await database.close()


def test_a_database_of_a_newer_version_ends_the_start_with_a_reason(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'vivavoce.db'}"
    asyncio.run(make_newer(url))
    command = [sys.executable, "-m", "vivavoce", "serve", "--engines", "fake", "--port", "0"]
    for keys in (KEY, {}):  # with configured keys the server listens before the store is opened, without them not
        environment = {**os.environ, **keys, "VIVAVOCE_STORAGE__URL": url}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 1
        assert "made by a newer version of Vivavoce" in " ".join(ended.stderr.split())
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("error", [SystemExit(0), KeyError("a bug"), asyncio.CancelledError()])
async def test_whatever_a_start_fails_with_ends_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """An engine that calls ``sys.exit(0)`` is a failure, too."""

    async def fails(_: Config) -> None:
        raise error

    failed = False

    def give_up() -> None:
        nonlocal failed
        failed = True
        server.should_exit = True

    monkeypatch.setattr("vivavoce.app.load_engines", fails)
    storage = {"url": f"sqlite:///{tmp_path / 'vivavoce.db'}", "blobs": str(tmp_path / "blobs")}
    server = make_server(load_config({"port": 0, "storage": storage}, profile="fake"), None, on_failure=give_up)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    async with asyncio.timeout(30):
        await server.serve()
    assert failed
