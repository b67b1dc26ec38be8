"""What every index does: the SQLite one, and PostgreSQL's with and without pgvector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from postgres import Postgres
from vivavoce.knowledge.index import pgvector
from vivavoce.knowledge.index.base import IndexedFile, PassageIndex
from vivavoce.knowledge.index.postgres import PostgresIndex
from vivavoce.knowledge.index.sqlite import SqliteIndex
from vivavoce.knowledge.passages import Passage
from vivavoce.store.database import Database

from .indexes import TEXTS, add, ask, examples, files_of, make_rows, nearest, put

A, B, C = IndexedFile("1", "file-a"), IndexedFile("11", "file-b"), IndexedFile("1", "file-c")


@pytest.fixture(params=["sqlite", "postgresql", "pgvector", "pgvector by its graph"])
async def index(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PassageIndex]:
    """An empty index; with rows for ``A``, ``B`` and ``C`` where it refers to rows."""
    if request.param == "sqlite":
        sqlite = SqliteIndex(tmp_path / "knowledge.db", "fake", examples)
        assert await sqlite.open()
        yield sqlite
        await sqlite.close()
        return
    if request.param == "pgvector by its graph":
        monkeypatch.setattr(pgvector, "EXACT_SEARCH_PASSAGES", 0)
    # One who may not make extensions has an index without them, wherever pgvector is installed.
    name, owner = ("postgres", "plain") if request.param == "postgresql" else ("pgvector", "vivavoce")
    server: Postgres = request.getfixturevalue(name)
    database = Database(server.new_database(owner))
    await database.migrate()
    await make_rows(database, A, B, C)
    index = PostgresIndex(database, "fake", examples)
    assert await index.open()
    yield index
    await index.close()
    await database.close()


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("How long does the battery last?", 0),
        ("退货运费谁承担？", 1),
        ("When is Lyon closed", 2),
        ("会议室坐几个人", 3),
    ],
)
async def test_finds_by_meaning_and_by_words(index: PassageIndex, question: str, right: int) -> None:
    await put(index, A, TEXTS)
    found = await ask(index, A.store_id, question)
    assert found.passages[found.by_meaning[0]].passage == Passage(right, TEXTS[right], ("Title",), right + 1)
    assert found.passages[found.by_words[0]].passage.ordinal == right
    assert 0 < found.passages[found.by_meaning[0]].similarity <= 1.001


async def test_a_store_sees_only_its_own_and_only_what_is_finished(index: PassageIndex) -> None:
    await put(index, A, TEXTS[:1])
    await put(index, B, ["The battery of the other one lasts two hours."])
    assert files_of(await ask(index, A.store_id, "battery hours")) == {A.file_id}
    assert files_of(await ask(index, B.store_id, "battery hours")) == {B.file_id}
    assert not (await ask(index, "2", "battery")).passages
    third = await put(index, C, ["A third battery."], finish=False)
    assert files_of(await ask(index, A.store_id, "battery")) == {A.file_id}
    assert await index.finish(third)
    assert files_of(await ask(index, A.store_id, "battery")) == {A.file_id, C.file_id}


async def test_beginning_again_leaves_nothing_twice(index: PassageIndex) -> None:
    await put(index, A, TEXTS, finish=False)
    await put(index, A, TEXTS[:2])
    assert await index.count(A) == 2
    assert [passage.text for passage in await index.passages(A)] == TEXTS[:2]
    assert await index.documents() == {A}


async def test_who_began_first_puts_nothing_into_what_was_begun_again(index: PassageIndex) -> None:
    first = await put(index, A, TEXTS[:1], finish=False)
    second = await put(index, A, TEXTS[:2], finish=False)
    await add(index, first, TEXTS)
    assert await index.count(A) == 2
    assert not await index.finish(first)
    assert not (await ask(index, A.store_id, "battery")).passages
    assert await index.finish(second)
    assert len(await index.passages(A)) == 2


async def test_searches_the_files_it_is_told_to(index: PassageIndex) -> None:
    """However many passages of other files are nearer."""
    await put(index, A, [f"Battery {n}: the battery lasts {n} hours." for n in range(1500)])
    await put(index, C, ["The battery of the old one lasts two hours.", "Nothing of that kind."])
    everything = await ask(index, A.store_id, "How many hours does the battery last?")
    assert files_of(everything) == {A.file_id}
    only = await ask(index, A.store_id, "How many hours does the battery last?", files=[C.file_id])
    assert files_of(only) == {C.file_id}
    assert nearest(only)[0] == "The battery of the old one lasts two hours."
    assert only.by_words
    assert not (await ask(index, A.store_id, "battery", files=[])).passages
    assert not (await ask(index, A.store_id, "battery", files=[B.file_id])).passages


async def test_what_is_forgotten_is_found_no_more(index: PassageIndex) -> None:
    await put(index, A, TEXTS)
    await put(index, B, TEXTS)
    await put(index, C, TEXTS)
    await index.forget([A, IndexedFile("1", "file-of-nobody")])
    assert files_of(await ask(index, A.store_id, "battery hours")) == {C.file_id}
    assert (await index.count(A), await index.passages(A)) == (0, [])
    await index.forget_store(B.store_id)
    assert not (await ask(index, B.store_id, "battery")).passages
    assert await index.documents() == {C}


async def test_odd_questions_are_no_syntax(index: PassageIndex) -> None:
    await put(index, A, TEXTS)
    for question in ('"', "AND OR NOT (", "place : store2", "a* ^b {words}", "", "？！", "near(battery, 3)", "a' & !b"):
        await ask(index, A.store_id, question)


async def test_abandoning_leaves_what_others_began(index: PassageIndex) -> None:
    first = await put(index, A, TEXTS, finish=False)
    second = await put(index, A, TEXTS[:2])
    await index.abandon(first)
    assert len(await index.passages(A)) == 2
    await index.abandon(second)
    assert await index.documents() == set()
    assert not (await ask(index, A.store_id, "battery")).passages
