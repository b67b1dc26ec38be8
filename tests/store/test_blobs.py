"""Blobs: there whole or not at all, never lost sight of, in a folder and in an object store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bucket import SECRET_KEY, Bucket, storage
from net.pages import served
from vivavoce.config import Config, load_config
from vivavoce.errors import ClientError, StoreError
from vivavoce.store.blobs import Blobs
from vivavoce.store.store import Store, open_objects, open_store
from vivavoce.store.tables import OrphanBlob

MIB = 1024 * 1024


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def bucket() -> Iterator[tuple[Bucket, int]]:
    """An S3-compatible store, and its port."""
    made = Bucket()
    with served(made) as port:
        yield made, port
    assert not made.uploads, "parts of a blob were left behind"


@pytest.fixture
def objects(store: Store, bucket: tuple[Bucket, int]) -> Blobs:
    """Blobs in the bucket."""
    kept, _ = open_objects(load_config({"storage": storage(bucket[1])}, profile="fake"))
    return Blobs(kept, store.database)


@pytest.fixture(params=["folder", "objects"])
def blobs(request: pytest.FixtureRequest, store: Store) -> Blobs:
    found: Blobs = store.blobs if request.param == "folder" else request.getfixturevalue("objects")
    return found


async def loose(store: Store) -> int:
    async with store.reading() as session:
        return await session.scalar(select(func.count()).select_from(OrphanBlob)) or 0


def files_of(config: Config) -> list[Path]:
    assert config.storage.blobs is not None
    return [path for path in Path(config.storage.blobs).rglob("*") if path.is_file()]


async def test_what_is_put_can_be_read_back(blobs: Blobs) -> None:
    parts = (b"a" * 3 * MIB, b"b" * 7 * MIB, b"c")
    blob = await blobs.put(chunks(*parts), max_bytes=20 * MIB)
    whole = b"".join(parts)
    assert (blob.size_bytes, blob.sha256) == (len(whole), sha256(whole).hexdigest())
    assert b"".join([piece async for piece in blobs.stream(blob.key)]) == whole
    assert await blobs.head(blob.key, 5) == b"aaaaa"
    async with blobs.path(blob.key) as path:
        assert path.read_bytes() == whole


async def test_an_empty_blob_is_one(blobs: Blobs) -> None:
    blob = await blobs.put(chunks(), max_bytes=1)
    assert [piece async for piece in blobs.stream(blob.key)] in ([], [b""])
    assert await blobs.head(blob.key, 5) == b""


async def test_too_much_leaves_nothing(blobs: Blobs, store: Store, config: Config) -> None:
    before = await loose(store)
    with pytest.raises(ClientError) as refused:
        await blobs.put(chunks(b"x" * 6 * MIB, b"x" * 6 * MIB), max_bytes=10 * MIB)
    assert refused.value.code == "request_too_large"
    assert await loose(store) == before
    assert files_of(config) == []


async def test_a_stream_that_breaks_leaves_nothing(blobs: Blobs, store: Store, config: Config) -> None:
    before = await loose(store)

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 6 * MIB
        raise ConnectionResetError("the client has gone")

    with pytest.raises(ConnectionResetError):
        await blobs.put(broken(), max_bytes=10 * MIB)
    assert await loose(store) == before
    assert files_of(config) == []


async def test_one_that_is_cancelled_leaves_nothing(blobs: Blobs, store: Store, config: Config) -> None:
    before = await loose(store)
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 6 * MIB
        begun.set()
        await asyncio.Event().wait()

    writing = asyncio.ensure_future(blobs.put(endless(), max_bytes=10 * MIB))
    await begun.wait()
    writing.cancel()
    await asyncio.wait([writing])
    assert writing.cancelled()
    assert await loose(store) == before
    assert files_of(config) == []


async def test_only_loose_ones_are_swept(blobs: Blobs, store: Store) -> None:
    kept = await blobs.put(chunks(b"kept"), max_bytes=9)
    left = await blobs.put(chunks(b"left behind"), max_bytes=99)
    async with store.rows.begin() as session:
        await blobs.adopt(session, kept.key)
    assert await blobs.sweep(older_than_s=60) == 0
    assert await blobs.sweep(older_than_s=-1) >= 1
    assert await blobs.head(kept.key, 9) == b"kept"
    with pytest.raises(StoreError):
        await blobs.head(left.key, 9)
    async with store.rows.begin() as session:
        await blobs.release(session, kept.key)
    assert await blobs.sweep(older_than_s=-1) == 1
    with pytest.raises(StoreError):
        await blobs.head(kept.key, 9)


async def test_a_transaction_that_fails_adopts_nothing(blobs: Blobs, store: Store) -> None:
    blob = await blobs.put(chunks(b"x"), max_bytes=9)
    async with store.rows() as session:
        await blobs.adopt(session, blob.key)
        await session.rollback()
    assert await blobs.sweep(older_than_s=-1) == 1


async def test_opening_the_store_sweeps_what_a_killed_process_left(store: Store, config: Config) -> None:
    """Also the draft the folder store was writing beside its place."""
    blob = await store.blobs.put(chunks(b"x"), max_bytes=9)
    (file,) = files_of(config)
    file.rename(file.with_name(file.name + "#1"))
    async with store.rows.begin() as session:
        row = await session.get(OrphanBlob, blob.key)
        assert row is not None
        row.since -= 100_000
    await (await open_store(config)).close()
    assert files_of(config) == []
    assert await loose(store) == 0


async def test_a_blob_that_is_not_there_is_refused_before_its_first_byte(blobs: Blobs) -> None:
    with pytest.raises(StoreError):
        await blobs.open("00/none")


async def test_what_cannot_be_deleted_is_swept_later(
    objects: Blobs, store: Store, bucket: tuple[Bucket, int], caplog: pytest.LogCaptureFixture
) -> None:
    blob = await objects.put(chunks(b"x"), max_bytes=9)
    bucket[0].closed = True
    assert not await objects.delete(blob.key)
    assert await objects.sweep(older_than_s=-1) == 0
    assert await loose(store) == 1
    assert SECRET_KEY not in caplog.text
    bucket[0].closed = False
    assert await objects.sweep(older_than_s=-1) == 1
    assert (await loose(store), bucket[0].objects) == (0, {})


async def test_a_store_that_takes_nothing_is_an_error(objects: Blobs, bucket: tuple[Bucket, int]) -> None:
    bucket[0].closed = True
    for size in (1, 12 * MIB):
        with pytest.raises(StoreError) as failed:
            await objects.put(chunks(b"x" * size), max_bytes=20 * MIB)
        assert SECRET_KEY not in str(failed.value)
