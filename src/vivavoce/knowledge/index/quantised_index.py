"""Vectors in PostgreSQL without an extension: likely passages are found by their sketches in this process, as in the embedded
index, and looked at exactly here."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from vivavoce.knowledge.index.binary_quantisation import BinaryQuantizer, QuantizedVectors
from vivavoce.knowledge.index.vectors import PassageVectors, among, rows
from vivavoce.types import Vectors

CANDIDATES = 1024
"""Fewer than the SQLite index looks at: their vectors come through a connection."""

MAX_CACHED_BYTES = 256 * 1024 * 1024


class QuantizedIndex(PassageVectors):
    """Sketches of stores are cached until their documents change, whichever server changes them."""

    def __init__(self, quantizer: BinaryQuantizer) -> None:
        self._quantizer = quantizer
        self._sketches: OrderedDict[str, tuple[tuple[Any, ...], QuantizedVectors]] = OrderedDict()

    @override
    async def row_columns(self, vectors: Vectors) -> Sequence[Mapping[str, bytes | None]]:
        sketches = await asyncio.to_thread(self._quantizer.sketch, vectors)
        return [
            {"sketch": sketch.tobytes(), "vector": vector.astype(np.float32).tobytes()}
            for sketch, vector in zip(sketches, vectors, strict=True)
        ]

    @override
    async def add(self, session: AsyncSession, document: int, ids: Sequence[int], vectors: Vectors) -> None:
        """Nothing: all of it is in the rows."""

    @override
    async def nearest(
        self, session: AsyncSession, store_id: str, vector: Vectors, limit: int, files: Collection[str] | None
    ) -> list[int]:
        sketches, documents = await self._of_store(session, store_id), None
        if files is not None:
            where, values = among(store_id, files)
            numbers = await rows(session, f"SELECT number FROM indexed_documents d WHERE {where}", **values)
            documents = [number for (number,) in numbers]
        sketch = self._quantizer.sketch(vector[None])[0]
        likely = await asyncio.to_thread(sketches.nearest_candidates, sketch, documents, CANDIDATES)
        rows_found = await rows(session, "SELECT id, vector FROM passages WHERE id = ANY(:ids)", ids=list(likely))
        if not rows_found:
            return []
        stored = np.frombuffer(b"".join(row[1] for row in rows_found), np.float32).reshape(len(rows_found), -1)
        order = np.argsort(-(stored @ vector.astype(np.float32)))[:limit]
        return [rows_found[index][0] for index in order]

    @override
    async def similarities(self, session: AsyncSession, ids: Sequence[int], vector: Vectors) -> Mapping[int, float]:
        found = await rows(
            session, "SELECT id, vector FROM passages WHERE id = ANY(:ids) AND vector IS NOT NULL", ids=list(ids)
        )
        return {key: float(np.frombuffer(stored, np.float32) @ vector) for key, stored in found}

    async def _of_store(self, session: AsyncSession, store_id: str) -> QuantizedVectors:
        """The sketches of a store's finished documents; another server may have changed them."""
        state = "SELECT count(*), sum(number), max(number) FROM indexed_documents WHERE store_id = :store AND ready"
        version = tuple((await rows(session, state, store=store_id))[0])
        cached = self._sketches.get(store_id)
        if cached is not None and cached[0] == version:
            self._sketches.move_to_end(store_id)
            return cached[1]
        where, values = among(store_id, None)
        # A server that has pgvector may have put passages in while this one runs without: those have no sketch.
        source = (
            f"FROM passages p JOIN indexed_documents d ON d.number = p.document WHERE {where} AND p.sketch IS NOT NULL"
        )
        sketch_rows = await rows(session, f"SELECT p.id, p.document, p.sketch {source}", **values)
        loaded = await asyncio.to_thread(QuantizedVectors.from_rows, sketch_rows, self._quantizer)
        self._sketches[store_id] = version, loaded
        while (
            len(self._sketches) > 1
            and sum(sketches.bytes for _, sketches in self._sketches.values()) > MAX_CACHED_BYTES
        ):
            self._sketches.popitem(last=False)
        return loaded
