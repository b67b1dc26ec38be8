"""The sentences, rows and items of passages, and how near each is to a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vivavoce.engines.base import Embedder
from vivavoce.knowledge.passages import Passage

_END = re.compile(r"(?<=[。！？!?；])|(?<=\.)(?=\s)|\n")
"""Where a passage falls into sentences, rows and items."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the passage with the number ``passage``. ``similarity`` is the cosine to the question, read behind the
    passage's headings."""

    passage: int
    text: str
    similarity: float


async def read_lines(embedder: Embedder, question: str, passages: Sequence[Passage]) -> list[Line]:
    """All lines of ``passages`` in their order. Raises ``EngineError``."""
    texts = [
        (number, line.strip())
        for number, passage in enumerate(passages)
        for line in _END.split(passage.text)
        if line.strip()
    ]
    if not texts:
        return []
    asked = (await embedder.embed([question], query=True))[0]
    whole = [_behind(passages[number], line) for number, line in texts]
    similarities = (await embedder.embed(whole, query=False, awaited=True)) @ asked
    return [
        Line(number, line, float(similarity)) for (number, line), similarity in zip(texts, similarities, strict=True)
    ]


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
