"""Lists in pages, as the platforms have them: a cursor is the id of an item (platform reference, section 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from vivavoce.errors import ClientError

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most ``limit`` after or before an id, newest first unless ``ascending``."""

    limit: int = 20
    ascending: bool = False
    after: str | None = None
    before: str | None = None

    @property
    def cursors(self) -> tuple[str, ...]:
        """The ids it names."""
        return tuple(cursor for cursor in (self.after, self.before) if cursor is not None)


async def paged(
    session: AsyncSession,
    query: Select[Row],
    column: ColumnElement[Any] | InstrumentedAttribute[Any],
    page: Page,
    value_of: Callable[[str], Any],
) -> tuple[list[Row], bool]:
    """(a page of ``query`` in the order of ``column``, whether there are more). With ``before`` alone it ends there.

    ``value_of`` tells the column of a cursor, ``None`` if the list has no such id. Raises ``ClientError`` for that.
    """
    backwards = page.before is not None and page.after is None
    for cursor, is_after in ((page.after, True), (page.before, False)):
        if cursor is not None:
            value = value_of(cursor)
            if value is None:
                raise ClientError("The list has no such id.", param="after" if is_after else "before")
            query = query.where(column > value if is_after == page.ascending else column < value)
    ascending = page.ascending != backwards
    query = query.order_by(column.asc() if ascending else column.desc()).limit(page.limit + 1)
    fetched: list[Row] = list((await session.scalars(query)).all())
    more, rows = len(fetched) > page.limit, fetched[: page.limit]
    return (rows[::-1] if backwards else rows), more
