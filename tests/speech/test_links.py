"""Files behind addresses: kept, found, expired, and nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from vivavoce.config import load_config
from vivavoce.errors import CapacityError, ClientError, EngineError
from vivavoce.speech import links
from vivavoce.speech.links import VALID_S, SpeechLinks
from vivavoce.speech.tables import SpeechFileRow
from vivavoce.store.store import Store, open_store
from vivavoce.store.tables import OrphanBlob


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(load_config({"home": tmp_path}, profile="fake"))
    yield opened
    await opened.close()


async def chunks(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


async def failing() -> AsyncGenerator[bytes, None]:
    yield b"some"
    raise EngineError("fake", "failed")


async def count(store: Store, table: type[SpeechFileRow] | type[OrphanBlob]) -> int:
    async with store.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


def blobs(store_home: Path) -> list[Path]:
    return [path for path in (store_home / "blobs").rglob("*") if path.is_file()]


async def test_a_file_is_found_by_its_secret_alone(store: Store, tmp_path: Path) -> None:
    kept = SpeechLinks(store, Clock())
    secret, expires_at = await kept.keep("me", chunks(b"so", b"und"), "audio/mpeg")
    assert len(secret) >= 43
    assert expires_at == Clock.now + VALID_S
    row = await kept.find(secret)
    assert (row.owner, row.content_type, row.bytes) == ("me", "audio/mpeg", 5)
    assert b"".join([piece async for piece in store.blobs.stream(row.blob)]) == b"sound"
    assert secret not in row.digest
    with pytest.raises(ClientError) as refused:
        await kept.find(secret[:-1])
    assert refused.value.code == "file_not_found"
    assert await count(store, OrphanBlob) == 0


async def test_after_its_time_it_is_gone(store: Store, tmp_path: Path) -> None:
    clock = Clock()
    kept = SpeechLinks(store, clock)
    secret, expires_at = await kept.keep("me", chunks(b"sound"), "audio/mpeg")
    clock.now = expires_at
    with pytest.raises(ClientError):
        await kept.find(secret)
    await kept.keep("me", chunks(b"new"), "audio/mpeg")
    assert await count(store, SpeechFileRow) == 1
    assert len(blobs(tmp_path)) == 1
    assert await count(store, OrphanBlob) == 0


async def test_a_file_that_fails_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        await SpeechLinks(store).keep("me", failing(), "audio/mpeg")
    assert not blobs(tmp_path)
    assert await count(store, SpeechFileRow) == await count(store, OrphanBlob) == 0


async def test_giving_up_stops_the_work_and_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            for _ in range(2 * links.CHUNKS_AHEAD):  # so many that the store has begun to read
                yield bytes(1000)
            begun.set()
            await asyncio.Event().wait()
        finally:
            over.set()

    keeping = asyncio.create_task(SpeechLinks(store).keep("me", endless(), "audio/mpeg"))
    await begun.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert over.is_set()
    assert not blobs(tmp_path)
    assert await count(store, SpeechFileRow) == await count(store, OrphanBlob) == 0


async def test_an_owner_has_only_so_many(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MAX_LINKS", 2)
    kept = SpeechLinks(store)
    for _ in range(2):
        await kept.keep("me", chunks(b"sound"), "audio/mpeg")
    with pytest.raises(CapacityError):
        await kept.keep("me", chunks(b"sound"), "audio/mpeg")
    await kept.keep("you", chunks(b"sound"), "audio/mpeg")
