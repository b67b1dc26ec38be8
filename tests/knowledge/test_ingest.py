"""Reading files into the index: nothing twice, nothing missing, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest
from sqlalchemy import text, update

from postgres import Postgres
from vivavoce.engines.fake import FAILURE, FakeEmbedder
from vivavoce.errors import ClientError, EngineError, StoreError
from vivavoce.knowledge.filters import read_filter
from vivavoce.knowledge.index.base import IndexedFile
from vivavoce.knowledge.ingest import MAX_ATTEMPTS
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.stores import NewFile, NewStore
from vivavoce.knowledge.tables import VectorStoreFileRow
from vivavoce.store.paging import Page
from vivavoce.types import EmbedOptions, Vectors

from .shelves import OWNER, Shelf, open_shelf

PARAGRAPHS = [f"Paragraph {n} tells of subject number{n} at some length, as such paragraphs do." for n in range(120)]
LONG = "\n\n".join(PARAGRAPHS)


class Watched(FakeEmbedder):
    """An embedder that can be slow, and can fail for a while."""

    def __init__(self, *, pause_s: float = 0.0, failures: int = 0) -> None:
        self.pause_s = pause_s
        self.failures = failures
        self.batches = 0
        self.second = asyncio.Event()

    async def at_work(self) -> None:
        """Until the second batch has begun."""
        async with asyncio.timeout(20):
            await self.second.wait()

    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        if not options.query and len(texts) and "subject" in texts[0]:
            self.batches += 1
            if self.batches == 2:
                self.second.set()
            await asyncio.sleep(self.pause_s)
            if self.failures:
                self.failures -= 1
                raise EngineError("watched", "is away", retriable=True)
        return await super().embed(texts, options)


@pytest.fixture(params=["sqlite", "postgresql", "pgvector"])
def url(request: pytest.FixtureRequest) -> str | None:
    """An empty database of each kind; ``None`` is a SQLite file in the test's folder."""
    if request.param == "sqlite":
        return None
    server: Postgres = request.getfixturevalue("postgres" if request.param == "postgresql" else "pgvector")
    return server.new_database("plain" if request.param == "postgresql" else "vivavoce")


async def new_store(shelf: Shelf) -> str:
    return (await shelf.knowledge.stores.create(OWNER, NewStore("handbook"))).id


async def everything(shelf: Shelf, store: str, file: str) -> str:
    """All that is in the index of a file."""
    return "\n".join(passage.text for passage in await shelf.knowledge.passages(OWNER, store, file))


def is_whole(text: str) -> bool:
    """Every paragraph is there; passages overlap, but no paragraph is there three times."""
    return all(1 <= text.count(f"number{n} ") <= 2 for n in range(len(PARAGRAPHS)))


async def test_reads_all_of_a_file(tmp_path: Path, url: str | None) -> None:
    async with open_shelf(tmp_path, url=url) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        await shelf.settled(store)
        row = await shelf.knowledge.stores.file(OWNER, store, file)
        assert (row.status, row.progress, row.embedder) == ("completed", 1.0, "fake")
        assert row.passages == len(await shelf.knowledge.passages(OWNER, store, file))
        assert is_whole(await everything(shelf, store, file))


async def test_finds_in_both_languages_and_no_longer_when_deleted(tmp_path: Path, url: str | None) -> None:
    async with open_shelf(tmp_path, url=url) as shelf:
        store, other = await new_store(shelf), await new_store(shelf)
        file = await shelf.add(
            store, "# 退货\n\n退货须在三十天内提出。\n\n# Battery\n\nThe battery lasts eleven hours.\n"
        )
        await shelf.add(other, "The battery of another thing lasts two hours.", "other.txt")
        await shelf.settled(store)
        await shelf.settled(other)
        for question, words in (("How long do batteries last?", "eleven hours"), ("多少天内可以退货", "三十天")):
            hits = await shelf.knowledge.search(OWNER, store, question, 2)
            assert words in hits[0].passage.text
            assert hits[0].file_id == file
            assert hits[0].passage.headings[-1] in ("Battery", "退货")
        await shelf.files.delete(OWNER, file)
        assert await shelf.knowledge.search(OWNER, store, "battery", 2) == []
        await shelf.knowledge.sweep()
        assert {document.store_id for document in await shelf.knowledge._index.documents()} == {other}
        await shelf.knowledge.delete_store(OWNER, other)
        assert await shelf.knowledge._index.documents() == set()


async def test_a_server_that_ends_goes_on_later(tmp_path: Path, url: str | None) -> None:
    slow = Watched(pause_s=0.05)
    async with open_shelf(tmp_path, url=url, embedder=slow) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        await slow.at_work()
    async with open_shelf(tmp_path, url=url) as shelf:
        await shelf.settled(store)
        assert (await shelf.knowledge.stores.file(OWNER, store, file)).attempts == 0
        assert is_whole(await everything(shelf, store, file))


async def test_servers_that_are_killed_are_no_failures_of_the_document(tmp_path: Path) -> None:
    """Every server that takes the file up is gone before it says what came of it; more often than a file may fail."""
    async with open_shelf(tmp_path, opened=False) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        ingest = shelf.knowledge._ingest
        for _ in range(MAX_ATTEMPTS + 2):
            assert await ingest.queue.take() is not None
            await ingest.queue.release_all_leases()
        await shelf.knowledge.open()
        await shelf.settled(store)
        row = await shelf.knowledge.stores.file(OWNER, store, file)
        assert (row.status, row.attempts) == ("completed", 0)


async def test_another_embedder_reads_everything_again(tmp_path: Path, url: str | None) -> None:
    async with open_shelf(tmp_path, url=url) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        await shelf.settled(store)
    other = Watched()
    other.name = "other"
    async with open_shelf(tmp_path, url=url, embedder=other) as shelf:
        await shelf.settled(store)
        assert other.batches
        assert (await shelf.knowledge.stores.file(OWNER, store, file)).embedder == "other"
        assert is_whole(await everything(shelf, store, file))


async def test_a_lost_index_is_made_again(tmp_path: Path) -> None:
    async with open_shelf(tmp_path) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        await shelf.settled(store)
    for extension in ("", "-wal", "-shm"):
        (tmp_path / f"vivavoce-knowledge.db{extension}").unlink(missing_ok=True)
    async with open_shelf(tmp_path) as shelf:
        await shelf.settled(store)
        assert is_whole(await everything(shelf, store, file))


async def test_an_embedder_that_is_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.knowledge.ingest.RETRY_S", 0)
    async with open_shelf(tmp_path, embedder=Watched(failures=3)) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        await shelf.settled(store)
        row = await shelf.knowledge.stores.file(OWNER, store, file)
        assert (row.status, row.attempts) == ("completed", 3)
        assert is_whole(await everything(shelf, store, file))


async def test_one_that_stays_away_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.knowledge.ingest.RETRY_S", 0)
    async with open_shelf(tmp_path, embedder=Watched(failures=99)) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        broken = await shelf.add(store, f"Words that {FAILURE} at once.", "broken.txt")
        good = await shelf.add(store, "Words that do not.", "good.txt")
        await shelf.settled(store)
        for file_id in (file, broken):
            row = await shelf.knowledge.stores.file(OWNER, store, file_id)
            assert (row.status, row.error_code) == ("failed", "server_error")
            assert not await shelf.knowledge.passages(OWNER, store, file_id)
        assert (await shelf.knowledge.stores.file(OWNER, store, good)).status == "completed"


async def test_bytes_that_are_away_are_waited_for_and_then_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivavoce.knowledge.ingest.RETRY_S", 0)
    async with open_shelf(tmp_path, opened=False) as shelf:
        store = await new_store(shelf)
        gone = await shelf.add(store, LONG, "gone.txt")
        here = await shelf.add(store, "Words that are there.", "here.txt")
        await shelf.store.blobs.delete((await shelf.files.get(OWNER, gone)).blob)
        await shelf.knowledge.open()
        await shelf.settled(store)
        row = await shelf.knowledge.stores.file(OWNER, store, gone)
        assert (row.status, row.error_code, row.attempts) == ("failed", "server_error", 4)
        assert await shelf.knowledge._index.documents() == {IndexedFile(store, here)}


async def test_taken_out_while_it_is_read_it_is_gone(tmp_path: Path, url: str | None) -> None:
    slow = Watched(pause_s=0.05)
    async with open_shelf(tmp_path, url=url, embedder=slow) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        await slow.at_work()
        await shelf.knowledge.remove_file(OWNER, store, file)
        other = await shelf.add(store, "Something else.", "other.txt")
        await shelf.settled(store)
        hits = await shelf.knowledge.search(OWNER, store, "subject number7 paragraph", 10)
        assert {hit.file_id for hit in hits} <= {other}
        await shelf.knowledge.sweep()
        assert await shelf.knowledge._index.documents() == {IndexedFile(store, other)}


async def test_progress_is_seen_while_it_is_read(
    tmp_path: Path, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivavoce.knowledge.ingest.REPORT_S", 0.0)
    seen: list[tuple[str, float]] = []

    class Looking(Watched):
        async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
            if "subject" in texts[0]:
                row = await shelf.knowledge.stores.file(OWNER, store, file)
                seen.append((row.status, row.progress))
            return await super().embed(texts, options)

    async with open_shelf(tmp_path, url=url, embedder=Looking(), opened=False) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, "\n\n".join(PARAGRAPHS * 4), "long.txt")
        await shelf.knowledge.open()
        await shelf.settled(store)
        row = await shelf.knowledge.stores.file(OWNER, store, file)
        assert (row.status, row.progress) == ("completed", 1.0)
    assert {status for status, _ in seen} == {"in_progress"}
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert len(set(shares)) > 3
    assert max(shares) < 1


async def test_owners_take_turns(tmp_path: Path, url: str | None) -> None:
    """One who brings many files does not keep the others waiting until all are read."""
    read: list[str] = []

    class Noting(FakeEmbedder):
        async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
            read.extend(text for text in texts if "note of" in text)
            return await super().embed(texts, options)

    async with open_shelf(tmp_path, url=url, embedder=Noting(), opened=False) as shelf:
        stores = {}
        for owner, count in (("alice", 6), ("bob", 2), ("carol", 1)):
            stores[owner] = (await shelf.knowledge.stores.create(owner, NewStore("notes"))).id
            for number in range(count):
                await shelf.add(stores[owner], f"A note of {owner}, number {number}.", f"{number}.txt", owner=owner)
        await shelf.knowledge.open()
        for store in stores.values():
            await shelf.settled(store)
    assert [text.partition("note of ")[2][:3] for text in read] == [
        "ali", "bob", "car", "ali", "bob", "ali", "ali", "ali", "ali",
    ]  # fmt: skip


async def test_a_filter_finds_what_few_files_say_among_very_many(tmp_path: Path, url: str | None) -> None:
    async with open_shelf(tmp_path, url=url) as shelf:
        store = await new_store(shelf)
        many = "\n\n".join(f"# Part {n}\n\nThe battery lasts {n} hours." for n in range(1500))
        await shelf.add(store, many, "many.md", year=2026)
        old = await shelf.add(store, "The battery of the old one lasts two hours, it is said.", "old.md", year=1999)
        await shelf.settled(store)
        question = "How many hours does the battery last?"
        assert old not in {hit.file_id for hit in await shelf.knowledge.search(OWNER, store, question, 10)}
        filtered = read_filter({"type": "lt", "key": "year", "value": 2000})
        hits = await shelf.knowledge.search(OWNER, store, question, 10, filters=filtered)
        assert [hit.file_id for hit in hits] == [old]
        nothing = read_filter({"type": "eq", "key": "year", "value": 1})
        assert await shelf.knowledge.search(OWNER, store, question, 10, filters=nothing) == []


async def test_deleting_a_file_leaves_nothing_of_it(tmp_path: Path, url: str | None) -> None:
    """Rows, passages, vectors, words and bytes, in every store it was in; what is somebody else's stays."""
    async with open_shelf(tmp_path, url=url) as shelf:
        first, second = await new_store(shelf), await new_store(shelf)
        file = await shelf.add(first, LONG, "long.txt")
        await shelf.knowledge.add_files(OWNER, second, [NewFile(file)])
        kept = await shelf.add(second, "Something else entirely.", "other.txt")
        await shelf.settled(first)
        await shelf.settled(second)
        row = await shelf.files.get(OWNER, file)
        await shelf.knowledge.delete_file(OWNER, file)
        assert await shelf.knowledge._index.documents() == {IndexedFile(second, kept)}
        for store in (first, second):
            hits = await shelf.knowledge.search(OWNER, store, "subject number7 paragraph", 50)
            assert {hit.file_id for hit in hits} <= {kept}
            with pytest.raises(ClientError):
                await shelf.knowledge.stores.file(OWNER, store, file)
        with pytest.raises(ClientError):
            await shelf.files.get(OWNER, file)
        with pytest.raises(StoreError):
            await shelf.store.blobs.head(row.blob, 1)
        assert await left_in_index(shelf, tmp_path) == {"passages": 1, "vectors": 1, "words": 1}


async def left_in_index(shelf: Shelf, folder: Path) -> dict[str, int]:
    """How many passages, vectors and texts of words there are."""
    counts: dict[str, int] = {}
    if shelf.store.database.is_sqlite:
        connection = apsw.Connection(str(folder / "vivavoce-knowledge.db"), flags=apsw.SQLITE_OPEN_READONLY)
        for table in ("passages", "vectors", "words"):
            counts[table] = int(str(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]))
        connection.close()
        return counts
    async with shelf.store.reading() as session:
        typed = await session.scalar(text("SELECT to_regclass('passage_vectors') IS NOT NULL"))
        vectors = "passage_vectors" if typed else "passages WHERE vector IS NOT NULL"
        for kind, rows in (
            ("passages", "passages"),
            ("vectors", vectors),
            ("words", "passages WHERE words IS NOT NULL"),
        ):
            counts[kind] = int(await session.scalar(text(f"SELECT count(*) FROM {rows}")) or 0)
    return counts


async def test_cancelled_and_then_killed_it_leaves_nothing(tmp_path: Path, url: str | None) -> None:
    async with open_shelf(tmp_path, url=url, opened=False) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        index = shelf.knowledge._index
        await index.open()
        begun = await index.begin(IndexedFile(store, file))
        await index.add(begun, [Passage(0, "half")], await FakeEmbedder().embed(["half"], EmbedOptions()))
        cancel = update(VectorStoreFileRow).where(VectorStoreFileRow.file_id == file).values(status="cancelled")
        async with shelf.store.rows.begin() as session:
            await session.execute(cancel)
        await shelf.knowledge.open()
        assert await index.documents() == set()


async def test_a_server_that_slept_through_its_lease_puts_nothing_in(
    tmp_path: Path, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server has taken the file over meanwhile, and read it."""
    slow = Watched(pause_s=0.05)
    async with open_shelf(tmp_path, url=url, embedder=slow) as sleeper:
        store = await new_store(sleeper)
        file = await sleeper.add(store, LONG, "long.txt")
        await slow.at_work()
        index = sleeper.knowledge._index
        begun = await index.begin(IndexedFile(store, file))  # as the other one does
        await index.add(begun, [Passage(0, "new")], await FakeEmbedder().embed(["new"], EmbedOptions()))
        await index.finish(begun)
        await asyncio.sleep(0.3)
        assert [passage.text for passage in await index.passages(IndexedFile(store, file))] == ["new"]


async def test_too_many_passages_and_no_text(tmp_path: Path) -> None:
    async with open_shelf(tmp_path, most_passages=5) as shelf:
        store = await new_store(shelf)
        file = await shelf.add(store, LONG, "long.txt")
        empty = await shelf.add(store, " \n\n \n", "empty.txt")
        await shelf.settled(store)
        row = await shelf.knowledge.stores.file(OWNER, store, file)
        assert (row.status, row.error_code) == ("failed", "invalid_file")
        assert "several" in (row.error_message or "")
        assert "no text" in ((await shelf.knowledge.stores.file(OWNER, store, empty)).error_message or "")
        assert await shelf.knowledge._index.documents() == set()


async def test_a_store_nobody_uses_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_shelf(tmp_path) as shelf:
        store = (await shelf.knowledge.stores.create(OWNER, NewStore("short", expires_after_days=1))).id
        await shelf.add(store, "A few words.", "a.txt")
        await shelf.settled(store)
        now = time.time()
        monkeypatch.setattr("vivavoce.knowledge.stores.time.time", lambda: now + 2 * 86_400)
        await shelf.knowledge.sweep()
        assert (await shelf.knowledge.stores.page(OWNER, Page()))[0] == []
        assert await shelf.knowledge._index.documents() == set()


async def test_hundreds_of_small_files(tmp_path: Path) -> None:
    async with open_shelf(tmp_path) as shelf:
        store = await new_store(shelf)
        for n in range(200):
            await shelf.add(store, f"Note {n}: box number{n} stands on a shelf.", f"{n}.txt")
        await shelf.settled(store)
        assert (await shelf.knowledge.stores.counts([store]))[store]["completed"] == 200
        hits = await shelf.knowledge.search(OWNER, store, "number137", 1)
        assert hits[0].filename == "137.txt"


SERVER = """
import asyncio, sys
from pathlib import Path
from knowledge.shelves import open_shelf
from knowledge.test_ingest import Watched

async def main(folder):
    async with open_shelf(Path(folder), embedder=Watched(pause_s=0.1)) as shelf:
        print("open", flush=True)
        await asyncio.sleep(600)

asyncio.run(main(sys.argv[1]))
"""


async def test_killed_while_it_reads_it_finishes_after_the_restart(tmp_path: Path) -> None:
    async with open_shelf(tmp_path, opened=False) as shelf:
        store = await new_store(shelf)
        files = [await shelf.add(store, LONG, f"{n}.txt") for n in range(3)]
    tests = Path(__file__).parents[1]
    for wait_s in (0.3, 0.6):
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVER, str(tmp_path),
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(tests)},
        )  # fmt: skip
        assert server.stdout is not None
        assert await server.stdout.readline() == b"open\n"
        await asyncio.sleep(wait_s)
        server.kill()
        await server.wait()
    async with open_shelf(tmp_path) as shelf:
        await shelf.settled(store)
        counts = (await shelf.knowledge.stores.counts([store]))[store]
        assert (counts["completed"], counts["failed"]) == (3, 0)
        for file in files:
            assert is_whole(await everything(shelf, store, file))
        assert await shelf.knowledge._index.documents() == {IndexedFile(store, file) for file in files}
