"""Folders for what an engine keeps while it runs, and what is left of them by processes that were killed."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "vivavoce-llama-"
_LOCK = "lock"


class PrivateFolder:
    """A temporary folder only this user can enter, removed with the object or at the end of the process.

    A process that is killed leaves its folder: its lock is free then, and the next one removes it.
    """

    def __init__(self, parent: Path | None = None) -> None:
        """``parent``: where temporary files are, unless given."""
        parent = parent or Path(tempfile.gettempdir())
        _remove_left(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = FileLock(self.path / _LOCK)
        lock.acquire()
        self._remove = weakref.finalize(self, _remove, lock, self.path)

    def remove(self) -> None:
        """It is needed no longer. Idempotent."""
        self._remove()


def _remove(lock: FileLock, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release(force=True)


def _remove_left(parent: Path) -> None:
    """Remove the folders of this user whose processes are gone."""
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with FileLock(lock, timeout=0):
                shutil.rmtree(lock.parent, ignore_errors=True)
        except (Timeout, OSError):
            continue  # in use, or another user's
