"""Replies prepared before the user's turn is over (preemptive generation): how many at once, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class PreparationCounts:
    """Replies prepared before the end of a turn: ``begun``, and of those ``used`` as the turn's answer, or ``discarded``
    because the user went on, said other words, or somebody else was answered. ``refused`` ones were not begun, because the
    engines were busy.
    """

    begun: int = 0
    used: int = 0
    discarded: int = 0
    refused: int = 0


class Preparations:
    """Admits preparations, for all conversations of a server. A reply somebody waits for comes first.

    ``limit`` is how many replies may be in the making when one is prepared, itself included: with 1, which suits few cores,
    nothing is prepared while anybody is being answered, and with 0 nothing ever is.
    """

    def __init__(self, limit: int = 1) -> None:
        self.limit = limit
        self._live = 0
        self._discards: list[Callable[[], None]] = []
        self.counts = PreparationCounts()

    @property
    def idle(self) -> bool:
        """Whether no reply is in the making, and none is prepared."""
        return not self._live and not self._discards

    def admit(self, discard: Callable[[], None]) -> bool:
        """Whether a reply may be prepared now. ``discard`` is called when a reply somebody waits for needs the engines, and
        has to call ``ended``.
        """
        if self._live + len(self._discards) >= self.limit:
            self.counts.refused += 1
            return False
        self._discards.append(discard)
        self.counts.begun += 1
        return True

    def ended(self, discard: Callable[[], None], *, used: bool) -> None:
        """What was admitted with ``discard`` has become a reply, or was thrown away."""
        self._discards.remove(discard)
        if used:
            self.counts.used += 1
        else:
            self.counts.discarded += 1

    @contextmanager
    def live(self) -> Iterator[None]:
        """While somebody is being answered, what is prepared for others makes way."""
        self._live += 1
        try:
            for discard in self._discards[max(self.limit - self._live, 0) :]:
                discard()
            yield
        finally:
            self._live -= 1
