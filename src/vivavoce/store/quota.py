"""How many bytes each owner may keep: uploaded files, files of speech, the text of documents in vector stores."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from vivavoce.errors import ClientError
from vivavoce.store.tables import Base


class Quota:
    """``max_bytes`` says how many an owner may keep; ``None``: as many as there is room for.

    Counted are the tables of rows with an ``owner`` that name their column of bytes in ``__counted__``.
    """

    def __init__(self, max_bytes: Callable[[str], int | None] = lambda owner: None) -> None:
        self._max_bytes = max_bytes

    async def require(self, session: AsyncSession, owner: str, more: int = 1) -> None:
        """Raises ``ClientError`` (``storage_quota_exceeded``) when the owner may not keep so many bytes more."""
        limit = self._max_bytes(owner)
        if limit is None:
            return
        used = 0
        for mapper in Base.registry.mappers:
            column = getattr(mapper.class_, "__counted__", None)
            if column is not None:
                size, owner_column = getattr(mapper.class_, column), mapper.class_.owner
                used += int(
                    await session.scalar(select(func.coalesce(func.sum(size), 0)).where(owner_column == owner)) or 0
                )
        if used + more > limit:
            raise ClientError(
                f"You keep {used} of at most {limit} bytes, and {more} more do not fit. Delete something first.",
                code="storage_quota_exceeded",
            )
