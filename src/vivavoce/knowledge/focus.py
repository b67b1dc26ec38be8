"""The lines of passages that are nearest to a question: a small model reads them sooner, and is led astray by less."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from vivavoce.engines.base import Embedder
from vivavoce.knowledge.passages import Passage

_LINE = re.compile(r"(?<=[。！？!?；])|(?<=\.)(?=\s)|\n")
"""Where a passage falls into sentences, rows and items."""


async def focused(embedder: Embedder, question: str, passages: Sequence[Passage], most: int) -> list[str]:
    """Each passage cut to those of its lines that are among the ``most`` nearest of all, in their order, behind its headings;
    empty for a passage that has none. Raises ``EngineError``."""
    lines = [
        (number, line.strip())
        for number, passage in enumerate(passages)
        for line in _LINE.split(passage.text)
        if line.strip()
    ]
    if len(lines) <= most:
        return [passage.whole for passage in passages]
    asked = (await embedder.embed([question], query=True))[0]
    whole = [f"{passages[number].context}\n{line}" for number, line in lines]
    nearest = np.argsort(-((await embedder.embed(whole, query=False)) @ asked))[:most]
    kept: list[list[str]] = [[] for _ in passages]
    for at in sorted(nearest.tolist()):
        number, line = lines[at]
        kept[number].append(line)
    return [
        "\n".join([*([passage.context] if passage.headings else []), *of_passage]) if of_passage else ""
        for passage, of_passage in zip(passages, kept, strict=True)
    ]
