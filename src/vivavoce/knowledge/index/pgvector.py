"""Vectors in PostgreSQL's extension pgvector: a table of its type, with an HNSW index for very many.

A graph is searched first and what does not belong is dropped afterwards, so one owner's small store among everybody's
passages would be searched badly. Stores up to ``EXACT_SEARCH_PASSAGES`` passages are therefore looked at whole, which takes a
few milliseconds; beyond that the graph is followed until enough of the store has come (``hnsw.iterative_scan``), and where it
gives up too early the store is looked at whole after all.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from vivavoce.knowledge.index.vectors import PassageVectors, among, rows
from vivavoce.types import Vectors

log = logging.getLogger(__name__)

MIN_VERSION = (0, 8)
"""The first version whose index can be followed until enough has come."""

MAX_DIMENSIONS = {"vector": 2000, "halfvec": 4000}
"""Of an HNSW index over each type, the more exact type first."""

EXACT_SEARCH_PASSAGES = 5_000
EF_SEARCH = 200
"""How many neighbours the graph keeps in sight (``hnsw.ef_search``)."""

MOVED_AT_ONCE = 1000
BUILDING_MEMORY = "256MB"
"""For the graph of some 100 000 vectors. PostgreSQL builds larger ones, too, but slowly."""

_AVAILABLE = "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
_VERSION = "SELECT extversion, to_regtype('vector')::text FROM pg_extension WHERE extname = 'vector'"
_COLUMN = (
    "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
    "WHERE attrelid = to_regclass('passage_vectors') AND attname = 'vector' AND NOT attisdropped"
)
_TABLE = """
CREATE TABLE passage_vectors (
    id BIGINT PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
    document BIGINT NOT NULL REFERENCES indexed_documents (number) ON DELETE CASCADE,
    vector {type} NOT NULL
)"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS ix_passage_vectors_document ON passage_vectors (document)",
    "CREATE INDEX IF NOT EXISTS ix_passage_vectors_vector ON passage_vectors USING hnsw (vector {kind}_cosine_ops)",
)
_IN_ROWS = "SELECT id, document, vector FROM passages WHERE vector IS NOT NULL AND id > :last ORDER BY id LIMIT :limit"
_SETTINGS = (
    f"SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '{EF_SEARCH}', true), "
    "set_config('enable_sort', 'off', true)"
)


class PgVectors(PassageVectors):
    """A table of vectors. Made by ``open``."""

    def __init__(self, kind: str) -> None:
        """``kind`` is the type of its column: ``vector`` or ``halfvec``."""
        self._vector_sql = f"CAST(CAST(:vector AS real[]) AS {kind})"

    @classmethod
    async def open(cls, session: AsyncSession, dimensions: int) -> PgVectors | str:
        """The table of vectors of that length, with all there were before; or why there can be none."""
        kind = next((kind for kind, max_dimensions in MAX_DIMENSIONS.items() if dimensions <= max_dimensions), None)
        if kind is None:
            return f"pgvector has no index for vectors of {dimensions} numbers"
        refusal = await _enable(session)
        if refusal is not None:
            return refusal
        column = f"{kind}({dimensions})"
        existing = await rows(session, _COLUMN)
        if not existing or existing[0][0] != column:
            # Of another embedder, whose passages are gone; or what is left when the extension was dropped.
            await session.execute(text("DROP TABLE IF EXISTS passage_vectors"))
            await session.execute(text(_TABLE.format(type=column)))
        vectors = cls(kind)
        await vectors._move_columns(session)
        await session.execute(text(f"SET LOCAL maintenance_work_mem = '{BUILDING_MEMORY}'"))
        for statement in _INDEXES:
            await session.execute(text(statement.format(kind=kind)))
        return vectors

    @override
    async def row_columns(self, vectors: Vectors) -> Sequence[Mapping[str, bytes | None]]:
        """Nothing is kept twice."""
        return [{"sketch": None, "vector": None}] * len(vectors)

    @override
    async def add(self, session: AsyncSession, document: int, ids: Sequence[int], vectors: Vectors) -> None:
        await self._insert(session, [(key, document) for key in ids], vectors)

    @override
    async def nearest(
        self, session: AsyncSession, store_id: str, vector: Vectors, limit: int, files: Collection[str] | None
    ) -> list[int]:
        where, values = among(store_id, files)
        documents = f"(SELECT d.number FROM indexed_documents d WHERE {where})"
        capped = f"SELECT 1 FROM passage_vectors WHERE document IN {documents} LIMIT {EXACT_SEARCH_PASSAGES + 1}"
        (count,) = await rows(session, f"SELECT count(*) FROM ({capped}) found", **values)
        values |= {"vector": vector.tolist(), "limit": limit}
        if count[0] > EXACT_SEARCH_PASSAGES:
            await session.execute(text(_SETTINGS))
            approximate = (
                f"SELECT id FROM passage_vectors WHERE document IN {documents} ORDER BY vector <=> {self._vector_sql}"
            )
            found = [key for (key,) in await rows(session, f"{approximate} LIMIT :limit", **values)]
            if len(found) == limit:
                return found
        distances = (
            f"SELECT id, vector <=> {self._vector_sql} AS distance FROM passage_vectors WHERE document IN {documents}"
        )
        exact = f"WITH measured AS MATERIALIZED ({distances}) SELECT id FROM measured ORDER BY distance LIMIT :limit"
        return [key for (key,) in await rows(session, exact, **values)]

    @override
    async def similarities(self, session: AsyncSession, ids: Sequence[int], vector: Vectors) -> Mapping[int, float]:
        statement = f"SELECT id, 1 - (vector <=> {self._vector_sql}) FROM passage_vectors WHERE id = ANY(:ids)"
        found = await rows(session, statement, vector=vector.tolist(), ids=list(ids))
        return {key: float(cosine) for key, cosine in found}

    async def _move_columns(self, session: AsyncSession) -> None:
        """Vectors of the time before the extension was there, in the transaction of ``open``: all of them or none."""
        moved = last = 0
        while found := await rows(session, _IN_ROWS, last=last, limit=MOVED_AT_ONCE):
            vectors = np.frombuffer(b"".join(row[2] for row in found), np.float32).reshape(len(found), -1)
            await self._insert(session, [(row[0], row[1]) for row in found], vectors)
            moved, last = moved + len(found), found[-1][0]
        if moved:
            await session.execute(text("UPDATE passages SET vector = NULL, sketch = NULL WHERE vector IS NOT NULL"))
            log.info("moved the vectors of %d passages into pgvector", moved)

    async def _insert(self, session: AsyncSession, keys: Sequence[tuple[int, int]], vectors: Vectors) -> None:
        values = [
            {"id": key, "document": document, "vector": vector.tolist()}
            for (key, document), vector in zip(keys, vectors, strict=True)
        ]
        await session.execute(text(f"INSERT INTO passage_vectors VALUES (:id, :document, {self._vector_sql})"), values)


def _kind(error: DBAPIError) -> str:
    """What the driver calls it: ``InsufficientPrivilegeError``, mostly."""
    return type(getattr(error.orig, "__cause__", None) or error.orig).__name__


async def _enable(session: AsyncSession) -> str | None:
    """Have the extension in this database; why not, if not."""
    if not await rows(session, _VERSION):
        if not await rows(session, _AVAILABLE):
            return "this PostgreSQL does not have the extension pgvector"
        try:
            async with session.begin_nested():
                await session.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        except DBAPIError as error:
            return f"the extension pgvector cannot be made ({_kind(error)}): let an administrator do it"
    ((version, regtype),) = await rows(session, _VERSION)
    if regtype is None:
        return "the extension pgvector is in a schema that is not searched"
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_VERSION:
        return f"pgvector {version} is too old: 0.8 is needed, and ALTER EXTENSION vector UPDATE"
    return None
