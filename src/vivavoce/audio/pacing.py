"""When output audio leaves, and what can have been heard by now.

The server sends ahead of playback by at most ``lead_ms``, so little is thrown away when the user interrupts, and it
assumes the client plays at once: the played position follows the clock from the first piece on, and waits when nothing
is left to play.
"""

from __future__ import annotations

from collections import deque

from vivavoce.audio.pcm import BYTES_PER_SAMPLE


class Pacer:
    """A queue of PCM16 with a clock. ``now`` is in seconds, positions in samples of this reply."""

    def __init__(self, *, rate_hz: int, lead_ms: int, piece_ms: int = 100) -> None:
        self.rate_hz = rate_hz
        self._lead = lead_ms * rate_hz // 1000
        self._piece_bytes = piece_ms * rate_hz // 1000 * BYTES_PER_SAMPLE
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._sent = 0
        self._anchor_time = 0.0
        self._anchor_position = 0

    @property
    def sent(self) -> int:
        """Samples handed out so far."""
        return self._sent

    @property
    def queued_ms(self) -> int:
        """Audio waiting to be sent."""
        return self._queued * 1000 // self.rate_hz

    @property
    def empty(self) -> bool:
        """Whether everything queued has been handed out."""
        return not self._queue

    def push(self, pcm: bytes) -> None:
        """Queue PCM16 audio."""
        for at in range(0, len(pcm), self._piece_bytes):
            self._queue.append(pcm[at : at + self._piece_bytes])
        self._queued += len(pcm) // BYTES_PER_SAMPLE

    def release(self, now: float) -> list[bytes]:
        """The pieces that may leave now."""
        pieces: list[bytes] = []
        while self._queue and self._sent - self.played(now) < self._lead:
            if self.played(now) == self._sent:
                self._anchor_time, self._anchor_position = now, self._sent
            piece = self._queue.popleft()
            samples = len(piece) // BYTES_PER_SAMPLE
            self._sent += samples
            self._queued -= samples
            pieces.append(piece)
        return pieces

    def played(self, now: float) -> int:
        """The position a client that plays at once has reached, never beyond what was sent."""
        elapsed = round((now - self._anchor_time) * self.rate_hz) if self._sent else 0
        return min(self._anchor_position + max(elapsed, 0), self._sent)

    def next_release(self, now: float) -> float | None:
        """When the next piece may leave, or ``None`` if nothing waits."""
        if not self._queue:
            return None
        over = self._sent - self.played(now) - self._lead + 1
        # One sample more than needed: a wake-up a rounding too early would only ask for another one.
        return now + (over + 1) / self.rate_hz if over > 0 else now
