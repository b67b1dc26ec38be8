"""What the SQLite index fails with, in the store's words."""

from __future__ import annotations

import apsw

from vivavoce.errors import StoreBusyError, StoreError, StoreFullError

_BUSY = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.InterruptError,
)
"""As of the store's SQLite (``store/failures.py``): a disk that fails may do so for a moment."""


def index_error(error: apsw.Error) -> StoreError:
    """The same error as a ``StoreError``: busy, full, or neither."""
    reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
    if isinstance(error, apsw.FullError) or getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_SHMSIZE:
        return StoreFullError(f"There is no room left in the store: {reason}")
    if isinstance(error, _BUSY):
        return StoreBusyError(f"The store cannot be used at the moment: {reason}")
    return StoreError(f"The index failed: {error}")
