"""How long a search takes among very many passages, and how many of the nearest it finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vivavoce.engines.base import Embedder
from vivavoce.knowledge.index.base import Document
from vivavoce.knowledge.index.embedded import EmbeddedIndex
from vivavoce.knowledge.library import TEXTS_OF_ALL_KINDS
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.search import DEPTH
from vivavoce.knowledge.words import terms_of
from vivavoce.types import Vectors

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
) -> Speed:
    """Fill an index with ``count`` passages made of ``texts``, and ask it everything. ``advance`` gets how many were put in."""

    async def examples() -> Vectors:
        return await embedder.embed(TEXTS_OF_ALL_KINDS, query=False)

    index = EmbeddedIndex(folder / "scale.db", embedder.name, examples)
    await index.open()
    try:
        vectors = await _fill(index, embedder, texts, count, advance)
        return await _ask(index, embedder, vectors, questions)
    finally:
        await index.close()


async def _fill(
    index: EmbeddedIndex, embedder: Embedder, texts: Sequence[str], count: int, advance: Callable[[int], None]
) -> Vectors:
    base = await embedder.embed(texts, query=False)
    random = np.random.default_rng(0)
    document = Document("1", "file-scale")
    begun = await index.begin(document)
    kept = np.empty((count, base.shape[1]), np.float32)
    for at in range(0, count, BATCH):
        chosen = random.integers(len(texts), size=min(BATCH, count - at))
        noisy = base[chosen] + random.standard_normal((len(chosen), base.shape[1])).astype(np.float32) * NOISE
        vectors = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
        passages = [
            Passage(at + n, f"{_shuffled(texts[which], random)} No. {at + n}") for n, which in enumerate(chosen)
        ]
        await index.add(begun, passages, vectors)
        kept[at : at + len(chosen)] = vectors
        advance(len(chosen))
    await index.finish(begun)
    return kept


def _shuffled(text: str, random: np.random.Generator) -> str:
    """Half of the lines of a text: copies share words without having the same ones."""
    lines = text.splitlines()
    return "\n".join(line for line in lines if random.random() < 0.5) or lines[0]


async def _ask(index: EmbeddedIndex, embedder: Embedder, vectors: Vectors, questions: Sequence[str]) -> Speed:
    total, embedding, searching, found = [], [], [], 0.0
    for question in questions:
        began = time.perf_counter()
        vector = (await embedder.embed([question], query=True))[0]
        embedded = time.perf_counter()
        candidates = await index.search("1", vector, terms_of(question), DEPTH)
        ended = time.perf_counter()
        total.append((ended - began) * 1000)
        embedding.append((embedded - began) * 1000)
        searching.append((ended - embedded) * 1000)
        nearest = set(np.argsort(-(vectors @ vector))[:NEAREST].tolist())
        ordinals = {candidates.passages[at].passage.ordinal for at in candidates.by_meaning}
        found += len(nearest & ordinals) / NEAREST
    # The first search of a store reads its sketches.
    return Speed(len(vectors), total[1:], embedding[1:], searching[1:], total[0], found / len(questions))
