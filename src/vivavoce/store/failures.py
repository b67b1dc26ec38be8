"""Which of the many errors of drivers and disks mean that the store cannot do it now, and which that there is no room."""

from __future__ import annotations

import errno
import sqlite3

from obstore.exceptions import BaseError, GenericError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vivavoce.errors import StoreBusyError, StoreError, StoreFullError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_SQLITE_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_SQLITE_BUSY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_INTERRUPT,
    }
)
"""Primary codes (https://sqlite.org/rescode.html). A disk that fails may do so for a moment: an I/O error is tried again."""

_POSTGRES_FULL = "53100"
_POSTGRES_BUSY = ("08", "40", "53", "55P03", "57", "58")
"""Classes and codes (PostgreSQL, appendix A): connections, conflicts, resources, locks, operators, the system."""


def store_error(error: BaseException) -> StoreError | None:
    """The same error in the store's words; ``None`` for one that says something else, such as a violated constraint."""
    if isinstance(error, StoreError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = f"{type(cause).__name__}: {cause}".partition("\n")[0][:200]
    if _is_full(cause):
        return StoreFullError(f"There is no room left in the store: {reason}")
    if _is_busy(error, cause):
        return StoreBusyError(f"The store cannot be used at the moment: {reason}")
    return None


def _is_full(cause: BaseException) -> bool:
    match cause:
        case sqlite3.Error():
            return getattr(cause, "sqlite_errorcode", None) in _SQLITE_FULL
        case BaseError():  # of the folder or the bucket; only its words tell
            return any(f"(os error {number})" in str(cause) for number in _NO_ROOM)
        case OSError():
            return cause.errno in _NO_ROOM
    return getattr(cause, "sqlstate", None) == _POSTGRES_FULL


def _is_busy(error: BaseException, cause: BaseException) -> bool:
    match cause:
        case sqlite3.Error():
            return (getattr(cause, "sqlite_errorcode", 0) or 0) & 0xFF in _SQLITE_BUSY
        case PoolTimeoutError() | OSError():  # ``TimeoutError`` and ``ConnectionError`` are kinds of the latter
            return True
        case BaseError():
            return isinstance(cause, GenericError)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_POSTGRES_BUSY)
    # asyncpg says so in words of its own when a connection has gone: no state, as no server has said anything.
    return isinstance(error, OperationalError | InterfaceError) or type(cause).__module__.startswith("asyncpg")
