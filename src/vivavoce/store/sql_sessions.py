"""Sessions with the database whose failures are the store's (``StoreError``), whatever the driver calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from vivavoce.errors import StoreBusyError, StoreFullError
from vivavoce.store.disk_space import DiskSpace
from vivavoce.store.failures import store_error


class SqlSessions:
    """Makes sessions on the connections of one pool.

    ``timeout_s`` is what one may take in all, where the database itself may be silent for ever (``None``: no bound).
    ``disk_space`` is told when there is none.
    """

    def __init__(self, engine: AsyncEngine, disk_space: DiskSpace, *, timeout_s: float | None) -> None:
        self._sessionmaker = async_sessionmaker(engine, expire_on_commit=False)
        self._disk_space = disk_space
        self._timeout_s = timeout_s

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[AsyncSession]:
        """A session that commits nothing. Raises ``StoreBusyError`` and ``StoreFullError`` in place of the driver's errors."""
        async with self._translating_errors(self._timeout_s), self._sessionmaker() as session:
            yield session

    @asynccontextmanager
    async def begin(self, *, patient: bool = False) -> AsyncIterator[AsyncSession]:
        """A session whose transaction is committed at the end; ``patient``: however long it takes. Raises as a call does."""
        async with (
            self._translating_errors(None if patient else self._timeout_s),
            self._sessionmaker.begin() as session,
        ):
            yield session

    @asynccontextmanager
    async def _translating_errors(self, timeout_s: float | None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                yield
        except (StoreBusyError, StoreFullError):  # of something within
            raise
        except Exception as error:
            timed_out = isinstance(error, TimeoutError) and deadline.expired()
            translated = store_error(TimeoutError(f"no answer within {timeout_s:g} s") if timed_out else error)
            if translated is None:
                raise
            if isinstance(translated, StoreFullError):
                self._disk_space.note_full()
            raise translated from error
