"""What can go wrong on the client's side."""

from __future__ import annotations

from vivavoce.errors import VivavoceError


class ConnectError(VivavoceError):
    """No conversation could be opened. ``status`` is the HTTP status of the refusal, if the server gave one."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RecordingError(VivavoceError):
    """A recording cannot be read, or there is no speech in it."""
