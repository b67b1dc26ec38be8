"""Reciprocal rank fusion: several rankings of the same things as one (Cormack, Clarke and Büttcher, 2009). Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

RANK_CONSTANT = 60
"""How little the first ranks count above the next, as the authors measured it."""


def fused_scores(rankings: Collection[Iterable[K]], constant: int = RANK_CONSTANT) -> dict[K, float]:
    """A score of everything that is in ``rankings`` (the best first, each thing once): 1 is first in all of them."""
    scores: dict[K, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking):
            scores[key] = scores.get(key, 0.0) + (constant + 1) / (constant + 1 + rank) / len(rankings)
    return scores
