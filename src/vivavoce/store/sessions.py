"""Sessions with the database whose failures are the store's (``StoreError``), whatever the driver calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from vivavoce.errors import StoreBusyError, StoreFullError
from vivavoce.store.failures import store_error
from vivavoce.store.room import Room


class Sessions:
    """Makes sessions on the connections of one pool.

    ``within_s`` is what one may take in all, where the database itself may be silent for ever (``None``: no bound).
    ``room`` is told when there is none.
    """

    def __init__(self, engine: AsyncEngine, room: Room, *, within_s: float | None) -> None:
        self._make = async_sessionmaker(engine, expire_on_commit=False)
        self._room = room
        self._within_s = within_s

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[AsyncSession]:
        """A session that commits nothing. Raises ``StoreBusyError`` and ``StoreFullError`` in place of the driver's errors."""
        async with self._failing_as_store(self._within_s), self._make() as session:
            yield session

    @asynccontextmanager
    async def begin(self, *, patient: bool = False) -> AsyncIterator[AsyncSession]:
        """A session whose transaction is committed at the end; ``patient``: however long it takes. Raises as a call does."""
        async with self._failing_as_store(None if patient else self._within_s), self._make.begin() as session:
            yield session

    @asynccontextmanager
    async def _failing_as_store(self, within_s: float | None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(within_s) as time:
                yield
        except (StoreBusyError, StoreFullError):  # of something within
            raise
        except Exception as error:
            silent = isinstance(error, TimeoutError) and time.expired()
            failed = store_error(TimeoutError(f"no answer within {within_s:g} s") if silent else error)
            if failed is None:
                raise
            if isinstance(failed, StoreFullError):
                self._room.note_full()
            raise failed from error
