"""How long the pauses of one speaker were within their turns: who pauses for long will do so again. Pure."""

from __future__ import annotations

from collections import deque
from statistics import median

MIN_PAUSE_MS = 100
"""Shorter gaps are part of words."""

REMEMBERED = 32
"""Pauses; the oldest are forgotten."""


class SpeakerPauses:
    """The pauses within turns so far, in milliseconds, as the user of one conversation made them."""

    def __init__(self) -> None:
        self._pauses: deque[int] = deque(maxlen=REMEMBERED)

    def add(self, pause_ms: int) -> None:
        """The speaker paused, and went on."""
        if pause_ms >= MIN_PAUSE_MS:
            self._pauses.append(pause_ms)

    @property
    def typical_ms(self) -> int | None:
        """The median; ``None`` before there was a pause."""
        return round(median(self._pauses)) if self._pauses else None

    @property
    def longest_ms(self) -> int | None:
        """The longest; ``None`` before there was a pause."""
        return max(self._pauses, default=None)
