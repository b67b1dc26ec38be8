"""How long to wait in silence before the user's turn ends, by how finished they sound (``semantic_vad``). Pure.

The surer the scorer, the sooner the turn ends: a ladder of waits instead of one fixed silence, as sglang-omni has it
(250 ms from a score of 0.97, 640 ms from 0.88). Below that the waits grow in steps up to OpenAI's documented limits for
``eagerness``: 2 s (high), 4 s (medium, the same as auto) and 8 s (low). ``python -m vivavoce.bench.endpointing`` measures
it on recordings.
"""

from __future__ import annotations

from vivavoce.protocol.session_config import Eagerness

SCORED_MS = 160
"""Silence after which a score is worth asking for; shorter gaps are stop consonants and breaths."""

RUNGS = (0.97, 0.88, 0.5, 0.1, 0.0)
"""Least score of each rung of the ladder, surest first."""

_MEDIUM_MS = (250, 640, 1300, 2000, 4000)

_WAITS_MS: dict[Eagerness, tuple[int, int, int, int, int]] = {
    "high": (250, 450, 900, 1400, 2000),
    "medium": _MEDIUM_MS,
    "auto": _MEDIUM_MS,
    "low": (400, 1000, 2500, 4000, 8000),
}

_UNSCORED_RUNG = 1


def wait_ms(score: float | None, eagerness: Eagerness) -> int:
    """Silence in milliseconds, counted from the last voiced sample, after which the turn ends.

    ``score`` is the probability in [0, 1] that the user has finished. ``None``, when there is no score (yet, or because
    the scorer failed), waits as for a likely end: 450, 640 or 1000 ms, about what a fixed silence would be.
    """
    waits = _WAITS_MS[eagerness]
    if score is None:
        return waits[_UNSCORED_RUNG]
    return next((wait for least, wait in zip(RUNGS, waits, strict=True) if score >= least), waits[-1])
