"""When output audio leaves, and what can have been heard by now.

The server sends ahead of playback by at most ``lead_ms``, so little is thrown away when the user interrupts, and it
assumes the client plays at once: the played position follows the clock from the first piece on, and waits when nothing
is left to play.
"""

from __future__ import annotations

FIRST_PIECE_MS = 20
"""The first piece is short: a client plays it while the next are on their way."""


class Pacer:
    """A clock over one reply's audio. ``now`` is in seconds, positions in samples of the reply."""

    def __init__(self, *, rate_hz: int, lead_ms: int, piece_ms: int = 100) -> None:
        self.rate_hz = rate_hz
        self._lead = lead_ms * rate_hz // 1000
        self._piece = piece_ms * rate_hz // 1000
        self._first_piece = FIRST_PIECE_MS * rate_hz // 1000
        self._anchor_time = 0.0
        self._anchor_position = 0
        self.sent = 0

    def release(self, available: int, now: float) -> list[tuple[int, int]]:
        """The pieces (start, end) that may leave now, of the ``available`` samples there are."""
        pieces: list[tuple[int, int]] = []
        while self.sent < available and self.sent - self.played(now) < self._lead:
            if self.played(now) == self.sent:
                self._anchor_time, self._anchor_position = now, self.sent
            end = min(self.sent + (self._piece if self.sent else self._first_piece), available)
            pieces.append((self.sent, end))
            self.sent = end
        return pieces

    def played(self, now: float) -> int:
        """The position a client that plays at once has reached, never beyond what was sent."""
        elapsed = round((now - self._anchor_time) * self.rate_hz) if self.sent else 0
        return min(self._anchor_position + max(elapsed, 0), self.sent)

    def stop(self, now: float) -> int:
        """Nothing more is played, and what was not counts as never sent; returns the position reached."""
        self.sent = self.played(now)
        return self.sent

    def played_at(self) -> float:
        """When all that was sent will have been played."""
        return self._anchor_time + (self.sent - self._anchor_position) / self.rate_hz

    def next_release(self, available: int, now: float) -> float | None:
        """When the next piece may leave, or ``None`` if nothing waits."""
        if self.sent >= available:
            return None
        excess = self.sent - self.played(now) - self._lead + 1
        # One sample more than needed: a wake-up a rounding too early would only ask for another one.
        return now + (excess + 1) / self.rate_hz if excess > 0 else now
