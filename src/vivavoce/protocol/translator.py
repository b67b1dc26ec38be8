"""One connection's translator: frames in, canonical events out, and back, in the one dialect it turns out to speak."""

from __future__ import annotations

from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.protocol.detection import UndetectedDialect, detect_and_decode
from vivavoce.protocol.dialect import Dialect, decode, encode
from vivavoce.protocol.server_events import ServerEvent


class Translator:
    """Remembers the dialect; the one thing about a connection's wire that changes, once at most."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def decode(self, frame: str | bytes) -> AnyClientEvent:
        """One client frame. Raises ``ClientError`` with ``param`` and ``event_id``."""
        if not isinstance(self._dialect, UndetectedDialect):
            return decode(frame, self._dialect)
        event, self._dialect = detect_and_decode(frame, self._dialect)
        return event

    def encode(self, event: ServerEvent) -> list[str]:
        """One event as frames: none, one or two."""
        return encode(event, self._dialect)
