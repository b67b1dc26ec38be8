"""The index in PostgreSQL: with pgvector, without it, and when that changes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, text

from postgres import Postgres
from vivavoce.knowledge import words
from vivavoce.knowledge.index import pgvector as module
from vivavoce.knowledge.index import postgres as postgres_index
from vivavoce.knowledge.index.base import IndexedFile
from vivavoce.knowledge.index.pgvector import PgVectors
from vivavoce.knowledge.index.postgres import PostgresIndex
from vivavoce.knowledge.index.quantised_index import QuantizedIndex
from vivavoce.knowledge.index.vectors import rows
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.words import terms_of
from vivavoce.store.database import Database
from vivavoce.types import Vectors

from .indexes import TEXTS, ask, examples, files_of, make_rows, nearest, put

SMALL, LARGE = IndexedFile("1", "file-small"), IndexedFile("2", "file-large")
BOXES = [f"Box number{n} stands on a shelf." for n in range(400)]
NOTICE = "vectors are searched in this server's own memory"


@pytest.fixture
async def database(pgvector: Postgres) -> AsyncIterator[Database]:
    """A database whose owner may make extensions."""
    database = Database(pgvector.new_database())
    await database.migrate()
    await make_rows(database, SMALL, LARGE)
    yield database
    await database.close()


async def opened(database: Database, *, new: bool, model: str = "fake") -> PostgresIndex:
    index = PostgresIndex(database, model, examples)
    assert await index.open() == new
    return index


async def opened_without(database: Database, monkeypatch: pytest.MonkeyPatch, *, new: bool) -> PostgresIndex:
    """As on a server that lacks the extension."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "_AVAILABLE", "SELECT 1 WHERE false")
        index = await opened(database, new=new)
    assert isinstance(index._vectors, QuantizedIndex)
    return index


async def one(database: Database, statement: str) -> Any:
    async with database.reading() as session:
        return (await session.execute(text(statement))).scalar_one()


async def test_a_server_without_the_extension_says_so(postgres: Postgres, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(postgres.new_database("plain"))
    await database.migrate()
    await make_rows(database, SMALL)
    with caplog.at_level(logging.WARNING, "vivavoce.knowledge"):
        index = await opened(database, new=True)
    assert NOTICE in caplog.text
    assert isinstance(index._vectors, QuantizedIndex)
    await put(index, SMALL, TEXTS)
    assert files_of(await ask(index, SMALL.store_id, "battery")) == {SMALL.file_id}
    await database.close()


async def test_one_that_may_not_make_the_extension_says_so(
    pgvector: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(pgvector.new_database("plain"))
    await database.migrate()
    with caplog.at_level(logging.WARNING, "vivavoce.knowledge"):
        await opened(database, new=True)
    assert "InsufficientPrivilegeError" in caplog.text
    assert "let an administrator do it" in caplog.text
    await database.close()


async def test_with_the_extension_vectors_are_kept_in_its_type_only(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    index = await opened(database, new=True)
    await put(index, SMALL, TEXTS)
    assert NOTICE not in caplog.text
    assert isinstance(index._vectors, PgVectors)
    assert await one(database, "SELECT count(*) FROM passage_vectors WHERE vector_dims(vector) = 256") == len(TEXTS)
    assert await one(database, "SELECT count(*) FROM passages WHERE vector IS NOT NULL OR sketch IS NOT NULL") == 0
    assert "hnsw (vector vector_cosine_ops)" in await one(
        database, "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_passage_vectors_vector'"
    )
    await index.forget([SMALL])
    assert await one(database, "SELECT count(*) FROM passage_vectors") == 0


async def test_passages_of_the_time_before_the_extension_move_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOVED_AT_ONCE", 3)
    before = await opened_without(database, monkeypatch, new=True)
    await put(before, SMALL, TEXTS)
    await put(before, LARGE, TEXTS[:2], finish=False)
    found = await ask(before, SMALL.store_id, "How long does the battery last?")
    after = await opened(database, new=False)
    assert isinstance(after._vectors, PgVectors)
    again = await ask(after, SMALL.store_id, "How long does the battery last?")
    assert nearest(again) == nearest(found)
    similar = [[candidate.similarity for candidate in one.passages] for one in (found, again)]
    assert sorted(similar[0]) == pytest.approx(sorted(similar[1]), abs=1e-5)
    assert await one(database, "SELECT count(*) FROM passage_vectors") == 6
    assert await one(database, "SELECT count(*) FROM passages WHERE vector IS NOT NULL OR sketch IS NOT NULL") == 0


async def test_when_the_extension_is_gone_everything_is_read_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(await opened(database, new=True), SMALL, TEXTS)
    async with database.rows.begin() as session:
        await session.execute(text("DROP EXTENSION vector CASCADE"))
    index = await opened_without(database, monkeypatch, new=True)
    assert await index.documents() == set()
    await put(index, SMALL, TEXTS)
    assert await (await opened(database, new=False)).count(SMALL) == len(TEXTS)
    assert await one(database, "SELECT count(*) FROM passage_vectors") == len(TEXTS)


async def test_another_embedder_has_vectors_of_another_length(database: Database) -> None:
    await put(await opened(database, new=True), SMALL, TEXTS)

    async def longer() -> Vectors:
        return np.eye(3, 2500, dtype=np.float32)

    index = PostgresIndex(database, "longer", longer)
    assert await index.open()
    begun = await index.begin(SMALL)
    await index.add(begun, [Passage(0, "one"), Passage(1, "two")], np.eye(2, 2500, dtype=np.float32))
    await index.finish(begun)
    found = await index.search(SMALL.store_id, np.eye(1, 2500, dtype=np.float32)[0], [], 2)
    assert nearest(found) == ["one", "two"]
    assert await one(database, "SELECT count(*) FROM passage_vectors WHERE vector_dims(vector) = 2500") == 2


async def test_vectors_too_long_for_an_index_do_without(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    async def endless() -> Vectors:
        return np.eye(3, 4096, dtype=np.float32)

    index = PostgresIndex(database, "endless", endless)
    assert await index.open()
    assert isinstance(index._vectors, QuantizedIndex)
    assert "no index for vectors of 4096 numbers" in caplog.text


@contextmanager
def listening(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engine = database._readers.sync_engine
    event.listen(engine, "before_cursor_execute", heard)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", heard)


async def test_a_small_store_among_many_passages_is_looked_at_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Followed through the graph, everybody else's nearer passages would come first."""
    monkeypatch.setattr(module, "EXACT_SEARCH_PASSAGES", 50)
    index = await opened(database, new=True)
    await put(index, LARGE, BOXES)
    await put(index, SMALL, ["Box ninety stands on a shelf.", *TEXTS])
    with listening(database) as sent:
        found = nearest(await ask(index, SMALL.store_id, BOXES[77], most=5))
    assert found[0] == "Box ninety stands on a shelf."
    assert len(found) == 5
    assert not any("ORDER BY vector <=>" in statement for statement in sent)
    with listening(database) as sent:
        found = nearest(await ask(index, LARGE.store_id, BOXES[77], most=5))
    assert len(found) == 5
    assert set(found) <= set(BOXES)
    assert any("ORDER BY vector <=>" in statement for statement in sent)
    assert not any("MATERIALIZED" in statement for statement in sent)


async def test_a_graph_that_gives_up_too_early_is_not_the_last_word(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXACT_SEARCH_PASSAGES", 3)
    monkeypatch.setattr(module, "_SETTINGS", module._SETTINGS.replace(f"'{module.EF_SEARCH}'", "'1'"))
    index = await opened(database, new=True)
    await put(index, LARGE, BOXES)
    await put(index, SMALL, TEXTS)
    async with database.rows.begin() as session:
        await session.execute(text(f"ALTER DATABASE {await name_of(database)} SET hnsw.max_scan_tuples = 1"))
    await database.close()
    with listening(database) as sent:
        found = nearest(await ask(index, SMALL.store_id, BOXES[77], most=4))
    assert sorted(found) == sorted(TEXTS)
    assert any("ORDER BY vector <=>" in statement for statement in sent)
    assert any("MATERIALIZED" in statement for statement in sent)


async def test_many_passages_are_searched_through_the_graph(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXACT_SEARCH_PASSAGES", 0)
    index = await opened(database, new=True)
    await put(index, LARGE, BOXES)
    async with database.rows.begin() as session:
        await session.execute(text(module._SETTINGS))
        documents = "(SELECT d.number FROM indexed_documents d WHERE d.store_id = '2' AND d.ready)"
        vector = "CAST(array_fill(0.1, ARRAY[256]) AS vector)"
        search = f"SELECT id FROM passage_vectors WHERE document IN {documents} ORDER BY vector <=> {vector} LIMIT 50"
        explained = "\n".join((await session.execute(text(f"EXPLAIN {search}"))).scalars())
    assert "Index Scan using ix_passage_vectors_vector" in explained
    assert "Sort" not in explained


async def test_the_commonest_words_are_left_out_where_too_much_would_match(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = await opened(database, new=True)
    await put(index, LARGE, [f"Chapter {n}: the machine makes coffee{' and cocoa' * (n == 77)}." for n in range(400)])
    question = terms_of("Which machines make coffee and cocoa?")
    assert {"machines", "coffee", "cocoa"} <= set(question)
    async with database.rows.begin() as session:
        await session.execute(text("ANALYZE passages"))
    asked: list[str] = []

    async def listened(session: Any, statement: str, **values: Any) -> Any:
        asked.append(values.get("query", ""))
        return await rows(session, statement, **values)

    monkeypatch.setattr(postgres_index, "rows", listened)
    await index.search("2", (await examples())[0], question, 3)
    assert {"machines", "coffee", "cocoa"} <= set("".join(asked).split(" | "))
    monkeypatch.setattr(words, "MAX_MATCHES", 100)
    asked.clear()
    found = await index.search("2", (await examples())[0], question, 3)
    kept = set("".join(asked).split(" | "))
    assert "cocoa" in kept
    assert not {"machines", "coffee"} & kept
    assert "cocoa" in found.passages[found.by_words[0]].passage.text


async def name_of(database: Database) -> str:
    return str(await one(database, "SELECT current_database()"))
