"""What the SQLite index alone does: what is deleted is gone from the disk, and likely passages are found by sketches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from vivavoce.knowledge.index import sqlite
from vivavoce.knowledge.index.base import IndexedFile
from vivavoce.knowledge.index.binary_quantisation import CANDIDATES, BinaryQuantizer, QuantizedVectors
from vivavoce.knowledge.index.sqlite import SqliteIndex

from .indexes import TEXTS, ask, examples, put


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SqliteIndex]:
    index = SqliteIndex(tmp_path / "knowledge.db", "fake", examples)
    assert await index.open()
    yield index
    await index.close()


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_what_is_deleted_is_gone_from_the_disk(index: SqliteIndex, tmp_path: Path) -> None:
    secret = "Xylophonequartz"
    await put(index, IndexedFile("1", "file-a"), [f"{secret} number {n} and more words around it" for n in range(600)])
    await put(index, IndexedFile("1", "file-b"), TEXTS)
    assert secret.encode() in on_disk(tmp_path)
    await index.forget([IndexedFile("1", "file-a"), IndexedFile("1", "file-of-nobody")])
    left = on_disk(tmp_path)
    assert secret.encode() not in left
    assert secret.lower().encode()[:9] not in left.lower()
    assert not (await ask(index, "1", secret)).by_words
    assert {c.file_id for c in (await ask(index, "1", "battery")).passages} == {"file-b"}
    await index.forget_store("1")
    assert await index.documents() == set()
    assert not (await ask(index, "1", "battery")).passages


async def test_another_model_begins_with_an_empty_index(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.db"
    first = SqliteIndex(path, "one", examples)
    assert await first.open()
    await put(first, IndexedFile("1", "file-a"), TEXTS)
    await first.close()
    again = SqliteIndex(path, "one", examples)
    assert not await again.open()
    assert await again.count(IndexedFile("1", "file-a")) == len(TEXTS)
    await again.close()
    other = SqliteIndex(path, "another", examples)
    assert await other.open()
    assert await other.documents() == set()
    await other.close()


async def test_an_index_without_positions_of_words_is_brought_up_to_date(tmp_path: Path) -> None:
    path, document = tmp_path / "knowledge.db", IndexedFile("1", "file-a")
    index = SqliteIndex(path, "fake", examples)
    await index.open()
    await put(index, document, TEXTS)
    await index.close()
    connection = apsw.Connection(str(path))
    old = sqlite.WITH_POSITIONS.replace("'porter unicode61'", "'porter unicode61', detail = column")
    connection.execute(old)
    connection.close()
    index = SqliteIndex(path, "fake", examples)
    assert not await index.open()
    (kept,) = index._write_db.execute("SELECT sql FROM sqlite_master WHERE name = 'words'").fetchall()
    assert "detail" not in str(kept)
    found = await ask(index, "1", "battery hours")
    assert found.passages[found.by_words[0]].passage.text == TEXTS[0]
    await index.forget([document])
    assert not (await ask(index, "1", "battery hours")).by_words
    await index.close()


def test_sketches_find_the_nearest_among_many() -> None:
    random = np.random.default_rng(1)
    shared = random.standard_normal(64)
    vectors = random.standard_normal((20_000, 64)) * 0.4 + shared
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    quantizer = BinaryQuantizer.from_examples(vectors[:50])
    sketches = QuantizedVectors(np.arange(100, 20_100), np.arange(20_000) % 100, quantizer.sketch(vectors))
    found = 0
    for _ in range(20):
        question = vectors[random.integers(20_000)] + random.standard_normal(64).astype(np.float32) * 0.03
        likely = sketches.nearest_candidates(quantizer.sketch(question[None])[0])
        assert len(set(likely)) == CANDIDATES
        found += int(np.argmax(vectors @ question)) + 100 in likely
        of_document = sketches.nearest_candidates(quantizer.sketch(question[None])[0], [7, 9], 50)
        assert len(of_document) == 50
        assert {(key - 100) % 100 for key in of_document} <= {7, 9}
    assert found == 20
