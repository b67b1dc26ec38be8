"""How long a search takes among very many passages, and how many of the nearest it finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from retrieval_shelf import OWNER

from vivavoce.engines.base import Embedder
from vivavoce.knowledge.index.base import IndexedFile, PassageIndex
from vivavoce.knowledge.index.postgres import PostgresIndex
from vivavoce.knowledge.index.sqlite import SqliteIndex
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.search import DEPTH
from vivavoce.knowledge.service import TEXTS_OF_ALL_KINDS
from vivavoce.knowledge.tables import VectorStoreFileRow, VectorStoreRow
from vivavoce.knowledge.words import terms_of
from vivavoce.store.database import Database
from vivavoce.store.tables import FileRow
from vivavoce.types import EmbedOptions, Vectors

PLACE = IndexedFile("1", "file-scale")
BATCH = 1000
NEAREST = 10
NOISE = 0.035
"""What is added to each number of a vector: the copies of one passage are then as unlike as passages of one chapter."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Searches among ``passages``: all of it, and the two parts of it, in milliseconds. ``recall`` is how many of the ten
    nearest were among those looked at."""

    passages: int
    total_ms: list[float]
    embed_ms: list[float]
    search_ms: list[float]
    first_ms: float
    recall: float


async def measure(
    folder: Path,
    embedder: Embedder,
    texts: Sequence[str],
    questions: Sequence[str],
    count: int,
    advance: Callable[[int], None],
    url: str | None = None,
) -> Speed:
    """Fill an index with ``count`` passages made of ``texts``, and ask it everything. ``advance`` gets how many were put in.

    The SQLite index in ``folder``, or with ``url`` that of a PostgreSQL, in a database that is empty. Raises ``StoreError``.
    """

    async def examples() -> Vectors:
        return await embedder.embed(TEXTS_OF_ALL_KINDS, EmbedOptions())

    async with AsyncExitStack() as open_things:
        index: PassageIndex = SqliteIndex(folder / "scale.db", embedder.name, examples)
        if url is not None:
            database = Database(url)
            open_things.push_async_callback(database.close)
            await database.migrate()
            await _make_rows(database)
            index = PostgresIndex(database, embedder.name, examples)
        await index.open()
        open_things.push_async_callback(index.close)
        vectors = await _fill(index, embedder, texts, count, advance)
        return await _ask(index, embedder, vectors, questions)


async def _make_rows(database: Database) -> None:
    """A store with a file in it: the index in PostgreSQL refers to them."""
    file = FileRow(
        id=PLACE.file_id, owner=OWNER, filename="scale.txt", purpose="retrieval-text", content_type="text/plain", bytes=1,
        sha256="", blob="", status="success", created_at=0,
    )  # fmt: skip
    store = VectorStoreRow(
        id=PLACE.store_id, owner=OWNER, name="scale", description="", details="{}", created_at=0, last_active_at=0
    )
    inside = VectorStoreFileRow(
        store_id=PLACE.store_id, file_id=PLACE.file_id, owner=OWNER, position=0, status="completed", progress=1.0,
        description="", attributes="{}", passages=0, usage_bytes=0, attempts=0, leased_until=0, created_at=0,
    )  # fmt: skip
    async with database.rows.begin() as session:
        session.add_all([file, store])
        await session.flush()
        session.add(inside)


async def _fill(
    index: PassageIndex, embedder: Embedder, texts: Sequence[str], count: int, advance: Callable[[int], None]
) -> Vectors:
    base = await embedder.embed(texts, EmbedOptions())
    random = np.random.default_rng(0)
    number = await index.begin(PLACE)
    stored = np.empty((count, base.shape[1]), np.float32)
    for at in range(0, count, BATCH):
        chosen = random.integers(len(texts), size=min(BATCH, count - at))
        noisy = base[chosen] + random.standard_normal((len(chosen), base.shape[1])).astype(np.float32) * NOISE
        vectors = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
        passages = [
            Passage(at + n, f"{_shuffled(texts[which], random)} No. {at + n}") for n, which in enumerate(chosen)
        ]
        await index.add(number, passages, vectors)
        stored[at : at + len(chosen)] = vectors
        advance(len(chosen))
    await index.finish(number)
    return stored


def _shuffled(text: str, random: np.random.Generator) -> str:
    """Half of the lines of a text: copies share words without having the same ones."""
    lines = text.splitlines()
    return "\n".join(line for line in lines if random.random() < 0.5) or lines[0]


async def _ask(index: PassageIndex, embedder: Embedder, vectors: Vectors, questions: Sequence[str]) -> Speed:
    total, embedding, searching, found = [], [], [], 0.0
    for question in questions:
        began = time.perf_counter()
        vector = (await embedder.embed([question], EmbedOptions(query=True)))[0]
        embedded = time.perf_counter()
        candidates = await index.search(PLACE.store_id, vector, terms_of(question), DEPTH)
        ended = time.perf_counter()
        total.append((ended - began) * 1000)
        embedding.append((embedded - began) * 1000)
        searching.append((ended - embedded) * 1000)
        nearest = set(np.argsort(-(vectors @ vector))[:NEAREST].tolist())
        ordinals = {candidates.passages[at].passage.ordinal for at in candidates.by_meaning}
        found += len(nearest & ordinals) / NEAREST
    # The first search of a store reads its sketches.
    return Speed(len(vectors), total[1:], embedding[1:], searching[1:], total[0], found / len(questions))
