"""What was used within the last minute, by name (a key's id), on a monotonic clock.

The wall clock may be set back by an hour or forward by a day; a limit must neither close for an hour then nor open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

WINDOW_S = 60.0


class MovingWindow:
    """Counts events of the last minute; each makes room a minute after it happened."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._events: dict[str, deque[float]] = {}

    def hit(self, name: str, limit: int) -> float:
        """One more event of ``name``: 0 if it is one of at most ``limit``, else the seconds until there is room for it."""
        now = self._clock()
        self._forget(now)
        events = self._events.setdefault(name, deque())
        if len(events) < limit:
            events.append(now)
            return 0.0
        return events[-limit] + WINDOW_S - now if limit > 0 else WINDOW_S

    def _forget(self, now: float) -> None:
        """Names are dropped with their last event, so that they do not pile up."""
        for name, events in tuple(self._events.items()):
            while events and events[0] <= now - WINDOW_S:
                events.popleft()
            if not events:
                del self._events[name]


@dataclass(slots=True)
class _Spent:
    since: float
    amount: int


class FixedWindow:
    """Adds up what is spent in a minute that begins with the first spending, in whatever amounts."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._spent: dict[str, _Spent] = {}

    def spend(self, name: str, amount: int) -> None:
        """``amount`` more has been spent; what is too much is counted as well."""
        now = self._clock()
        self._forget(now)
        self._spent.setdefault(name, _Spent(now, 0)).amount += amount

    def wait_s(self, name: str, limit: int) -> float:
        """0 while less than ``limit`` has been spent, else the seconds until the minute is over."""
        now = self._clock()
        self._forget(now)
        spent = self._spent.get(name)
        return spent.since + WINDOW_S - now if spent is not None and spent.amount >= limit else 0.0

    def _forget(self, now: float) -> None:
        self._spent = {name: spent for name, spent in self._spent.items() if spent.since > now - WINDOW_S}
