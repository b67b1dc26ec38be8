"""The embedded index: what is put in is found, what is deleted is gone from the disk, too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from vivavoce.engines.fake import FakeEmbedder
from vivavoce.knowledge.index.base import Candidates, Document
from vivavoce.knowledge.index.embedded import EmbeddedIndex
from vivavoce.knowledge.index.sketches import CANDIDATES, Sketcher, Sketches
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.words import terms_of
from vivavoce.types import Vectors

EMBEDDER = FakeEmbedder()
TEXTS = [
    "The battery lasts eleven hours.",
    "退货须在三十天内提出，运费由买家承担。",
    "The office in Lyon is closed on holidays.",
    "会议室可容纳十二人。",
]


async def examples() -> Vectors:
    return await EMBEDDER.embed(["one thing", "another", "第三"], query=False)


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[EmbeddedIndex]:
    index = EmbeddedIndex(tmp_path / "knowledge.db", "fake", examples)
    assert await index.open()
    yield index
    await index.close()


async def put(index: EmbeddedIndex, document: Document, texts: list[str], *, finish: bool = True) -> None:
    await index.begin(document)
    passages = [Passage(number, text, ("Title",), number + 1) for number, text in enumerate(texts)]
    await index.add(document, passages, await EMBEDDER.embed([passage.whole for passage in passages], query=False))
    if finish:
        await index.finish(document)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def ask(index: EmbeddedIndex, store: str, question: str) -> Candidates:
    vector = (await EMBEDDER.embed([question], query=True))[0]
    return await index.search(store, vector, terms_of(question), 3)


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("How long does the battery last?", 0),
        ("退货运费谁承担？", 1),
        ("When is Lyon closed", 2),
        ("会议室坐几个人", 3),
    ],
)
async def test_finds_by_meaning_and_by_words(index: EmbeddedIndex, question: str, right: int) -> None:
    await put(index, Document("7", "file-a"), TEXTS)
    found = await ask(index, "7", question)
    assert found.passages[found.by_meaning[0]].passage == Passage(right, TEXTS[right], ("Title",), right + 1)
    assert found.passages[found.by_words[0]].passage.ordinal == right
    assert 0 < found.passages[found.by_meaning[0]].similarity <= 1.001


async def test_a_store_sees_only_its_own_and_only_what_is_finished(index: EmbeddedIndex) -> None:
    await put(index, Document("1", "file-a"), TEXTS[:1])
    await put(index, Document("11", "file-b"), ["The battery of the other one lasts two hours."])
    assert [c.file_id for c in (await ask(index, "1", "battery hours")).passages] == ["file-a"]
    assert [c.file_id for c in (await ask(index, "11", "battery hours")).passages] == ["file-b"]
    assert not (await ask(index, "2", "battery")).passages
    await put(index, Document("1", "file-c"), ["A third battery."], finish=False)
    assert {c.file_id for c in (await ask(index, "1", "battery")).passages} == {"file-a"}
    await index.finish(Document("1", "file-c"))
    assert {c.file_id for c in (await ask(index, "1", "battery")).passages} == {"file-a", "file-c"}


async def test_beginning_again_leaves_nothing_twice(index: EmbeddedIndex) -> None:
    document = Document("1", "file-a")
    await put(index, document, TEXTS, finish=False)
    await put(index, document, TEXTS[:2])
    assert await index.count(document) == 2
    assert [passage.text for passage in await index.passages(document)] == TEXTS[:2]
    assert await index.documents() == {document}


async def test_what_is_deleted_is_gone_from_the_disk(index: EmbeddedIndex, tmp_path: Path) -> None:
    secret = "Xylophonequartz"
    await put(index, Document("1", "file-a"), [f"{secret} number {n} and more words around it" for n in range(600)])
    await put(index, Document("1", "file-b"), TEXTS)
    assert secret.encode() in on_disk(tmp_path)
    await index.forget([Document("1", "file-a"), Document("1", "file-of-nobody")])
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
    first = EmbeddedIndex(path, "one", examples)
    assert await first.open()
    await put(first, Document("1", "file-a"), TEXTS)
    await first.close()
    again = EmbeddedIndex(path, "one", examples)
    assert not await again.open()
    assert await again.count(Document("1", "file-a")) == len(TEXTS)
    await again.close()
    other = EmbeddedIndex(path, "another", examples)
    assert await other.open()
    assert await other.documents() == set()
    await other.close()


async def test_odd_questions_are_no_syntax(index: EmbeddedIndex) -> None:
    await put(index, Document("1", "file-a"), TEXTS)
    for question in ('"', "AND OR NOT (", "place : store2", "a* ^b {words}", "", "？！", "near(battery, 3)"):
        await ask(index, "1", question)


def test_sketches_find_the_nearest_among_many() -> None:
    random = np.random.default_rng(1)
    shared = random.standard_normal(64)
    vectors = random.standard_normal((20_000, 64)) * 0.4 + shared
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    sketcher = Sketcher.about(vectors[:50])
    sketches = Sketches(np.arange(100, 20_100), sketcher.sketch(vectors))
    found = 0
    for _ in range(20):
        question = vectors[random.integers(20_000)] + random.standard_normal(64).astype(np.float32) * 0.03
        likely = sketches.likely(sketcher.sketch(question[None])[0])
        assert len(set(likely)) == CANDIDATES
        found += int(np.argmax(vectors @ question)) + 100 in likely
    assert found == 20
