"""What happens on a full disk: what takes room is refused, what makes room still works.

Deleting a row writes, too: SQLite needs room for its log before any is freed. So a file beside the database holds some back.
It goes when a deletion finds no room, and as long as it is not there again nothing but deletions is begun.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from vivavoce.errors import StoreFullError

log = logging.getLogger(__name__)

RESERVE_BYTES = 8 * 1024 * 1024
"""Twice what SQLite's log takes before it is written back into the database and begun again."""


class DiskSpace:
    """Whether there is room. ``reserve`` is the file that holds some back; without one there is nothing to fall back on."""

    def __init__(self, reserve: Path | None) -> None:
        self._reserve = reserve
        self.full = False
        """Whether something found no room, and nothing has shown since that there is some."""

    def note_full(self) -> None:
        """Something found no room."""
        if not self.full:
            log.error("there is no room left in the store: nothing is taken in until something is deleted")
        self.full = True

    def note_available(self) -> None:
        """Something was written, and the reserve is whole."""
        if self.full:
            log.warning("there is room in the store again")
        self.full = False

    def require(self) -> None:
        """Raises ``StoreFullError`` while there is none."""
        if self.full:
            raise StoreFullError("There is no room left in the store.")

    def ensure_reserve(self) -> bool:
        """Put the reserve in its place, if it is not there; whether it is. Blocking."""
        if self._reserve is None or self._is_whole(self._reserve):
            return True
        try:
            _fill(self._reserve)
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            log.warning("no room can be held back for deletions: %s", error.strerror)
            return False
        return True

    def release_reserve(self) -> bool:
        """Make room for a deletion; whether there was any to be made. Blocking."""
        if self._reserve is None or not self._reserve.exists():
            return False
        self._reserve.unlink(missing_ok=True)
        return True

    @staticmethod
    def _is_whole(reserve: Path) -> bool:
        return reserve.exists() and reserve.stat().st_size == RESERVE_BYTES


def _fill(reserve: Path) -> None:
    """Bytes that are really there: a file with holes would hold nothing back."""
    descriptor = os.open(reserve, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        else:
            piece = bytes(1024 * 1024)
            for _ in range(RESERVE_BYTES // len(piece)):
                os.write(descriptor, piece)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
