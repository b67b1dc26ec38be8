"""Hybrid search: what is alike in meaning and what shares words, put in one order by reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vivavoce.knowledge.fusion import fused_scores
from vivavoce.knowledge.index.base import Candidate, Candidates
from vivavoce.knowledge.passages import Passage

DEPTH = 50
"""How many of each search take part."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found. ``score`` orders hits, from 0 to 1; ``similarity`` is the cosine to the question."""

    file_id: str
    filename: str
    passage: Passage
    score: float
    similarity: float


def fused(candidates: Candidates, limit: int) -> list[tuple[Candidate, float]]:
    """The best of both searches, with their scores: 1 is first in both."""
    scores = fused_scores((candidates.by_meaning, candidates.by_words))
    order = sorted(scores, key=lambda index: (scores[index], candidates.passages[index].similarity), reverse=True)
    return [(candidates.passages[index], scores[index]) for index in order[:limit]]


def within(hits: Sequence[Hit], tokens: int, lengths: Sequence[int]) -> list[Hit]:
    """The first hits that fit into ``tokens`` together; always one. ``lengths`` are their lengths."""
    selected: list[Hit] = []
    for hit, length in zip(hits, lengths, strict=True):
        tokens -= length
        if selected and tokens < 0:
            break
        selected.append(hit)
    return selected
