"""Hybrid search: what is alike in meaning and what shares words, put in one order by reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vivavoce.knowledge.index.base import Candidate, Candidates
from vivavoce.knowledge.passages import Passage

RANK_CONSTANT = 60
"""Of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): how little the first ranks count above the next."""

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


def fused(candidates: Candidates, most: int) -> list[tuple[Candidate, float]]:
    """The best of both searches, with their scores: 1 is first in both."""
    scores: dict[int, float] = {}
    for ranking in (candidates.by_meaning, candidates.by_words):
        for rank, index in enumerate(ranking):
            scores[index] = scores.get(index, 0.0) + (RANK_CONSTANT + 1) / (RANK_CONSTANT + 1 + rank) / 2
    order = sorted(scores, key=lambda index: (scores[index], candidates.passages[index].similarity), reverse=True)
    return [(candidates.passages[index], scores[index]) for index in order[:most]]


def within(hits: Sequence[Hit], tokens: int, length_of: Sequence[int]) -> list[Hit]:
    """The first hits that fit into ``tokens`` together; always one. ``length_of`` are their lengths."""
    kept: list[Hit] = []
    for hit, length in zip(hits, length_of, strict=True):
        tokens -= length
        if kept and tokens < 0:
            break
        kept.append(hit)
    return kept
