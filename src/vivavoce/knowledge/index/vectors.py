"""How the index in PostgreSQL keeps the vectors of passages: in pgvector's type, or in columns that need no extension."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from vivavoce.types import Vectors

OF_STORE = "d.store_id = :store AND d.ready"
OF_FILES = f"{OF_STORE} AND d.file_id = ANY(:files)"


class PassageVectors(Protocol):
    """Vectors of passages, in the transactions of the index."""

    async def row_columns(self, vectors: Vectors) -> Sequence[Mapping[str, bytes | None]]:
        """What of vectors is kept in the rows of their passages: ``sketch`` and ``vector``."""

    async def add(self, session: AsyncSession, document: int, ids: Sequence[int], vectors: Vectors) -> None:
        """Keep the rest, once the rows of the passages ``ids`` of a document are there."""

    async def nearest(
        self, session: AsyncSession, store_id: str, vector: Vectors, limit: int, files: Collection[str] | None
    ) -> list[int]:
        """The ids of the passages nearest to ``vector``, best first, among the finished documents of a store."""

    async def similarities(self, session: AsyncSession, ids: Sequence[int], vector: Vectors) -> Mapping[int, float]:
        """The cosines of passages to ``vector``."""


def among(store_id: str, files: Collection[str] | None) -> tuple[str, dict[str, Any]]:
    """The condition for documents (``d``) of a store, or of some of its files, and its values."""
    if files is None:
        return OF_STORE, {"store": store_id}
    return OF_FILES, {"store": store_id, "files": list(files)}


async def rows(session: AsyncSession, statement: str, **values: Any) -> Sequence[Any]:
    """All rows of a statement."""
    return (await session.execute(text(statement), values)).all()
