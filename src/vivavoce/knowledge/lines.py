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

MOST_KEPT = 4096
"""Lines whose meanings are kept: some megabytes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the passage with the number ``passage``. ``similarity`` is the cosine to the question, read behind the
    passage's headings."""

    passage: int
    text: str
    similarity: float


class LineReader:
    """Reads lines for questions; the meanings of those it read lately are kept."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()

    async def read(self, question: str, passages: Sequence[Passage]) -> list[Line]:
        """All lines of ``passages`` in their order. Raises ``EngineError``."""
        texts = [
            (number, line.strip())
            for number, passage in enumerate(passages)
            for line in _END.split(passage.text)
            if line.strip()
        ]
        if not texts:
            return []
        asked = (await self._embedder.embed([question], EmbedOptions(query=True)))[0]
        meanings = await self._meanings([_behind(passages[number], line) for number, line in texts])
        return [
            Line(number, line, float(meaning @ asked)) for (number, line), meaning in zip(texts, meanings, strict=True)
        ]

    async def _meanings(self, texts: Sequence[str]) -> list[Vectors]:
        keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts]  # no text outlives its document here
        known = {key: self._kept[key] for key in keys if key in self._kept}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            vectors = await self._embedder.embed(list(new.values()), EmbedOptions(awaited=True))
            known.update(zip(new, vectors, strict=True))
        for key, meaning in known.items():
            self._kept[key] = meaning
            self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return [known[key] for key in keys]


def focused(lines: Sequence[Line], passages: Sequence[Passage], most: int) -> list[str]:
    """Each passage cut to those of its lines that are among the ``most`` nearest of all, in their order, behind its headings;
    empty for a passage that has none. A small model reads them sooner, and is led astray by less."""
    if len(lines) <= most:
        return [passage.whole for passage in passages]
    nearest = sorted(range(len(lines)), key=lambda at: -lines[at].similarity)[:most]
    kept: list[list[str]] = [[] for _ in passages]
    for at in sorted(nearest):
        kept[lines[at].passage].append(lines[at].text)
    return [
        _behind(passage, "\n".join(of_passage)) if of_passage else ""
        for passage, of_passage in zip(passages, kept, strict=True)
    ]


def _behind(passage: Passage, text: str) -> str:
    return f"{passage.context}\n{text}" if passage.headings else text
