"""The sentences, rows and items of passages, and how near each is to a question."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from vivavoce.engines.base import Embedder
from vivavoce.knowledge.passages import Passage
from vivavoce.types import EmbedOptions, Vectors

_END = re.compile(r"(?<=[。！？!?；])|(?<=\.)(?=\s)|\n")
"""Where a passage falls into sentences, rows and items."""

MAX_CACHED = 4096
"""Lines whose meanings are kept: some megabytes."""


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """One line of the passage with the number ``passage``. ``similarity`` is the cosine to the question, read behind the
    passage's headings."""

    passage: int
    text: str
    similarity: float


class SentenceScorer:
    """Scores sentences for questions; the embeddings of those it scored lately are kept."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._cache: OrderedDict[bytes, Vectors] = OrderedDict()

    async def score(self, question: str, passages: Sequence[Passage]) -> list[ScoredSentence]:
        """All lines of ``passages`` in their order. Raises ``EngineError``."""
        texts = [
            (number, line.strip())
            for number, passage in enumerate(passages)
            for line in _END.split(passage.text)
            if line.strip()
        ]
        if not texts:
            return []
        question_vector = (await self._embedder.embed([question], EmbedOptions(query=True)))[0]
        embeddings = await self._embeddings([_with_context(passages[number], line) for number, line in texts])
        return [
            ScoredSentence(number, line, float(embedding @ question_vector))
            for (number, line), embedding in zip(texts, embeddings, strict=True)
        ]

    async def _embeddings(self, texts: Sequence[str]) -> list[Vectors]:
        keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts]  # no text outlives its document here
        cached = {key: self._cache[key] for key in keys if key in self._cache}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in cached}
        if new:
            vectors = await self._embedder.embed(list(new.values()), EmbedOptions(interactive=True))
            cached.update(zip(new, vectors, strict=True))
        for key, embedding in cached.items():
            self._cache[key] = embedding
            self._cache.move_to_end(key)
        while len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return [cached[key] for key in keys]


def focused(
    lines: Sequence[ScoredSentence], passages: Sequence[Passage], limit: int, *, all_lines: bool = True
) -> list[str]:
    """Each passage cut to those of its lines that are among the ``limit`` nearest of all, in their order, behind its headings;
    empty for a passage that has none. A small model reads them sooner, and is led astray by less. ``all_lines``: ``lines`` are
    all there are in the passages, which stay whole if there are no more than ``limit``."""
    if all_lines and len(lines) <= limit:
        return [passage.whole for passage in passages]
    nearest = sorted(range(len(lines)), key=lambda index: -lines[index].similarity)[:limit]
    selected: list[list[str]] = [[] for _ in passages]
    for index in sorted(nearest):
        selected[lines[index].passage].append(lines[index].text)
    return [
        _with_context(passage, "\n".join(sentences)) if sentences else ""
        for passage, sentences in zip(passages, selected, strict=True)
    ]


def _with_context(passage: Passage, text: str) -> str:
    return f"{passage.context}\n{text}" if passage.headings else text
