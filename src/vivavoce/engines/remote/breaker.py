"""When an engine elsewhere is left alone for a while: a circuit breaker. Pure."""

from __future__ import annotations


class CircuitBreaker:
    """Closed: requests are made. After ``failures`` failures in a row it opens for ``pause_s``: none are. Then one request is
    made to see; it closes the breaker, or opens it again. ``now`` is a monotonic clock in seconds.

    ``failure`` is what went wrong last, until something succeeds.
    """

    def __init__(self, failures: int, pause_s: float) -> None:
        self._limit = failures
        self._pause_s = pause_s
        self._count = 0
        self._open_until: float | None = None
        self._trying = False
        self.failure: str | None = None

    def is_open(self, now: float) -> bool:
        """Whether a request would be refused now."""
        return self._open_until is not None and (now < self._open_until or self._trying)

    def admit(self, now: float) -> bool:
        """Whether a request may be made now. One that is must end in ``succeeded``, ``failed`` or ``abandoned``."""
        if self.is_open(now):
            return False
        self._trying = self._open_until is not None
        return True

    def succeeded(self) -> None:
        """The other side answered."""
        self._count, self._open_until, self._trying, self.failure = 0, None, False, None

    def failed(self, now: float, reason: str) -> None:
        """It did not, or broke off."""
        self._count += 1
        self._trying = False
        self.failure = reason
        if self._open_until is not None or self._count >= self._limit:
            self._open_until = now + self._pause_s

    def abandoned(self) -> None:
        """Nobody wanted the answer any more: that tells nothing of the other side."""
        self._trying = False
