"""Counting, which is no code. Pure."""

from __future__ import annotations

from itertools import pairwise


def is_count(figures: str) -> bool:
    """Whether digits go up or down in equal steps of one or two (``123``, ``54321``, ``2468``)."""
    steps = {int(after) - int(before) for before, after in pairwise(figures)}
    return len(steps) == 1 and steps <= {1, -1, 2, -2}
