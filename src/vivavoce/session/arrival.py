"""When audio came. Silence is counted in samples as long as they come, and by the clock when they do not.

A client may stop sending in the midst of a turn: it is muted, transmits nothing or next to nothing in pauses (DTX), or has a
gate of its own.
Pure: all times are seconds of the session's clock.
"""

from __future__ import annotations

GRACE_S = 1.0
"""Audio that is late by less is on its way: networks pause for so long."""

AHEAD_S = 10.0
"""What is sent faster than it can be spoken is taken to be spoken for so long at most."""


class Arrival:
    """Follows the audio of one connection as it comes in. ``missed_s`` is how much did not come, and was not only late."""

    def __init__(self) -> None:
        self._due = 0.0
        self.missed_s = 0.0
        self._stopped_at: float | None = None
        self._connected = True

    @property
    def stopped_at(self) -> float | None:
        """Since when audio is missing, if none comes any more: the end of what has come, as it was spoken.

        Less than ``GRACE_S`` of it means nothing. ``None`` while the client is not connected, or has never sent any.
        """
        return self._stopped_at if self._connected else None

    def came(self, duration_s: float, now: float) -> None:
        """So much audio has come. It was spoken until now, or is being spoken from now on if it came ahead of its time."""
        late_s = now - self._due if self._stopped_at is not None else 0.0
        if self._stopped_at is None or late_s > GRACE_S:
            self._due = now
            self.missed_s += late_s
        self._due = min(self._due + duration_s, now + max(duration_s, AHEAD_S))
        self._stopped_at = max(self._due, now + duration_s)

    def missing_s(self, now: float) -> float:
        """For how long audio has been missing since the last of it came."""
        return max(now - self.stopped_at, 0.0) if self.stopped_at is not None else 0.0

    def disconnected(self) -> None:
        """The connection is lost: nobody can tell what the user does."""
        self._connected = False

    def connected(self, now: float) -> None:
        """There is a connection (again): audio is missing from now on."""
        self._connected = True
        if self._stopped_at is not None:
            self._stopped_at, self._due = max(self._stopped_at, now), max(self._due, now)
