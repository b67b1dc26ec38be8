"""An open store, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vivavoce.config import Config, load_config
from vivavoce.store.store import Store, open_store


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    return load_config({"storage": {"url": database_url, "blobs": str(tmp_path / "blobs")}}, profile="fake")


@pytest.fixture
async def store(config: Config) -> AsyncIterator[Store]:
    opened = await open_store(config)
    yield opened
    await opened.close()
