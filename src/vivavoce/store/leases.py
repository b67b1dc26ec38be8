"""Background work that is rows of the database, so that it survives the process: a queue that servers share by leases.

A row is leased to one server, which renews the lease as long as it works and gives the row back when it is stopped; that of a
server that died ends by itself. Leases are in seconds of the epoch, because servers share no other clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Select, String, and_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from vivavoce.errors import StoreError
from vivavoce.store.store import Store
from vivavoce.store.tables import Base
from vivavoce.supervision import meanwhile

MAX_OWNERS_SERVED = 1000
"""Owners who had a turn in this round. With more of them than that, a new round begins."""

RENEWALS_PER_LEASE = 4
"""How often a lease is renewed in the time it lasts."""


class LeasedRow(Base):
    """A row that is work. ``leased_until``: a server is at work on it until then, unless it says otherwise.

    ``attempts`` counts how often it failed and was put off.
    """

    __abstract__ = True

    owner: Mapped[str] = mapped_column(String(255))
    attempts: Mapped[int]
    leased_until: Mapped[int] = mapped_column(BigInteger)


R = TypeVar("R", bound=LeasedRow)


@dataclass(eq=False, slots=True)
class LeaseQueue(Generic[R]):
    """The rows of ``table`` for which ``pending`` holds, first come (by ``order``), first served; owners take turns.

    ``key`` are the columns that tell one piece of work from all others. While there are ``multiple_owners``, this process does
    not work for one of them only. A lease lasts ``lease_s``; nothing is put off by more than ``max_lease_s``. ``clock`` gives
    the seconds of the epoch.
    """

    store: Store
    table: type[R]
    key: Sequence[InstrumentedAttribute[Any]]
    pending: ColumnElement[bool]
    order: Sequence[InstrumentedAttribute[Any]]
    lease_s: int
    max_lease_s: int
    multiple_owners: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.time
    _served: set[str] = field(default_factory=set, init=False)
    _leased: dict[tuple[Any, ...], str] = field(default_factory=dict, init=False)
    """Whose they are, by key."""

    async def release_all_leases(self) -> None:
        """No server works on this store: what is leased was an earlier process's."""

        async def free() -> None:
            leased = update(self.table).where(self.table.leased_until > 0)
            async with self.store.rows.begin() as session:
                await session.execute(leased.values(leased_until=0))

        self._leased.clear()
        await self.store.database.delete_with_reserve(free)

    @asynccontextmanager
    async def next(self) -> AsyncIterator[R | None]:
        """The next row for the length of a block, in which this process does not take it again; ``None``: there is none."""
        row = await self.take()
        try:
            yield row
        finally:
            if row is not None:
                self._leased.pop(self._key_of(row), None)

    async def take(self) -> R | None:
        """The row that has waited longest, of each owner one in turn; leased to this server."""
        now = int(self.clock())
        query = (
            select(self.table)
            .where(
                self.pending,
                is_free(self.table.leased_until, now, self.max_lease_s),
                tuple_(*self.key).not_in(list(self._leased)),  # whatever the clock says
            )
            .order_by(*self.order)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        async with self.store.rows.begin() as session:
            row = await self._next_by_owner(session, query)
            if row is not None:
                row.leased_until = now + self.lease_s
                self._leased[self._key_of(row)] = row.owner
        return row

    async def _next_by_owner(self, session: AsyncSession, query: Select[R]) -> R | None:
        """Of an owner who has not had a turn for the longest, and one this process does nothing for, if there is one."""
        active = set(self._leased.values())
        exclusions = [self._served | active, active]
        if active and not self.multiple_owners():
            exclusions.append(set())
        for excluded in exclusions:
            row = await session.scalar(query.where(self.table.owner.not_in(excluded)))
            if row is not None:
                if row.owner in self._served or len(self._served) >= MAX_OWNERS_SERVED:
                    self._served.clear()
                self._served.add(row.owner)
                return row
        return None

    @asynccontextmanager
    async def renewing(self, row: R) -> AsyncIterator[None]:
        """The row stays this server's, however long the block takes. When it is cancelled, the next server need not wait."""
        try:
            renew = partial(self.postpone, row, self.lease_s)
            async with meanwhile(f"the lease of {self._key_of(row)}", renew, every_s=self.lease_s / RENEWALS_PER_LEASE):
                yield
        except asyncio.CancelledError:
            with suppress(StoreError):  # then its lease ends by itself
                await asyncio.shield(self.write(row, leased_until=0))
            raise

    async def postpone(self, row: R, delay_s: int, **values: Any) -> None:
        """Nobody takes it for so many seconds. ``values`` are written with it."""
        await self.write(row, leased_until=int(self.clock()) + delay_s, **values)

    async def write(self, row: R, **values: Any) -> bool:
        """Write ``values`` to the row, if it is still there and to be worked on; whether it was. Raises ``StoreError``."""
        condition = and_(*(column == value for column, value in zip(self.key, self._key_of(row), strict=True)))
        statement = update(self.table).where(condition, self.pending).values(**values).returning(self.key[0])
        async with self.store.rows.begin() as session:
            return (await session.execute(statement)).first() is not None

    def _key_of(self, row: R) -> tuple[Any, ...]:
        return tuple(getattr(row, column.key) for column in self.key)


def is_free(leased_until: InstrumentedAttribute[int], now: int, max_lease_s: int) -> ColumnElement[bool]:
    """Whether a row may be taken. A lease longer than any there is was made before the clock was set back."""
    return or_(leased_until <= now, leased_until > now + max_lease_s)
