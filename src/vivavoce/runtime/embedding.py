"""Texts of clients → vectors: texts longer than an embedder reads in pieces, and in turn with what conversations look up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vivavoce.engines.base import Embedder
from vivavoce.knowledge.lengths import tokens_of, weight_of
from vivavoce.scheduling import Ticket, Urgency, WorkOwner, WorkQueue
from vivavoce.types import EmbedOptions, Vectors

PIECE_TOKENS = 380
"""About how much of a text is embedded at once: built-in embedders read 510 tokens, and this is an estimate."""

AT_ONCE = 16
"""Pieces handed to the embedder together. Between two hands a conversation's question gets its turn."""

_WIDE = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_UNIT = re.compile(rf"[{_WIDE}]\s{{0,64}}|[^\s{_WIDE}]{{1,64}}\s{{0,64}}|\s{{1,64}}")
"""Where a text may be cut: after words, and after any character of a script without spaces; what is longer is no word."""


class TextEmbedding:
    """Embeds for clients, one piece of work at a time in the whole process, owners in turn; conversations share it."""

    def __init__(self) -> None:
        self._turns = WorkQueue()

    async def vectors(self, embedder: Embedder, texts: Sequence[str], *, query: bool, owner: str) -> Vectors:
        """One row of length 1 for each text. One longer than ``PIECE_TOKENS`` is the mean of its pieces, weighted by length.

        Raises ``EngineError``. Cancelling stops after the pieces under way.
        """
        pieces_by_text = await asyncio.to_thread(lambda: [pieces(text) for text in texts])
        all_pieces = [piece for text_pieces in pieces_by_text for piece in text_pieces]
        request = object()
        rows = [np.empty((0, embedder.dimensions), np.float32)]
        for start in range(0, len(all_pieces), AT_ONCE):
            async with self._turns.turn(Ticket(Urgency.LONG, WorkOwner(owner, request))):
                options = EmbedOptions(query=query, interactive=True)
                rows.append(await embedder.embed(all_pieces[start : start + AT_ONCE], options))
        ends = np.cumsum([0, *map(len, pieces_by_text)])
        return _means(np.concatenate(rows), all_pieces, ends.tolist())


def pieces(text: str, max_tokens: int = PIECE_TOKENS) -> list[str]:
    """``text`` in pieces of about so many tokens at most; joined they are the text."""
    if weight_of(text) <= max_tokens:
        return [text]
    result, piece, weight = list[str](), list[str](), 0.0
    for unit in _UNIT.findall(text):
        unit_weight = weight_of(unit)
        if piece and weight + unit_weight > max_tokens:
            result.append("".join(piece))
            piece, weight = [], 0.0
        piece.append(unit)
        weight += unit_weight
    return [*result, "".join(piece)]


def _means(vectors: Vectors, texts: Sequence[str], ends: Sequence[int]) -> Vectors:
    """A row for each stretch of ``vectors`` between two ``ends``."""
    means = np.empty((len(ends) - 1, vectors.shape[1]), np.float32)
    for row, (start, end) in enumerate(pairwise(ends)):
        weights = np.array([tokens_of(text) for text in texts[start:end]], np.float32)
        mean = weights @ vectors[start:end]
        length = np.linalg.norm(mean)
        means[row] = mean / length if length > 0 else vectors[start]
    return means
