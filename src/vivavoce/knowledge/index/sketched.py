"""Vectors in PostgreSQL without an extension: likely passages are found by their sketches in this process, as in the embedded
index, and looked at exactly here."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from vivavoce.knowledge.index.sketches import Sketcher, Sketches
from vivavoce.knowledge.index.vectors import among, rows
from vivavoce.types import Vectors

CANDIDATES = 1024
"""Fewer than the embedded index looks at: their vectors come through a connection."""

MOST_CACHED_BYTES = 256 * 1024 * 1024


class SketchedVectors:
    """Sketches of stores are kept until their documents change, whichever server changes them."""

    def __init__(self, sketcher: Sketcher) -> None:
        self._sketcher = sketcher
        self._sketches: OrderedDict[str, tuple[tuple[Any, ...], Sketches]] = OrderedDict()

    async def in_rows(self, vectors: Vectors) -> Sequence[Mapping[str, bytes | None]]:
        """See ``PassageVectors``."""
        sketches = await asyncio.to_thread(self._sketcher.sketch, vectors)
        return [
            {"sketch": sketch.tobytes(), "vector": vector.astype(np.float32).tobytes()}
            for sketch, vector in zip(sketches, vectors, strict=True)
        ]

    async def add(self, session: AsyncSession, document: int, ids: Sequence[int], vectors: Vectors) -> None:
        """Nothing: all of it is in the rows."""

    async def nearest(
        self, session: AsyncSession, store_id: str, vector: Vectors, most: int, files: Collection[str] | None
    ) -> list[int]:
        """See ``PassageVectors``."""
        sketches, documents = await self._of_store(session, store_id), None
        if files is not None:
            where, values = among(store_id, files)
            numbers = await rows(session, f"SELECT number FROM indexed_documents d WHERE {where}", **values)
            documents = [number for (number,) in numbers]
        sketch = self._sketcher.sketch(vector[None])[0]
        likely = await asyncio.to_thread(sketches.likely, sketch, documents, CANDIDATES)
        found = await rows(session, "SELECT id, vector FROM passages WHERE id = ANY(:ids)", ids=list(likely))
        if not found:
            return []
        stored = np.frombuffer(b"".join(row[1] for row in found), np.float32).reshape(len(found), -1)
        order = np.argsort(-(stored @ vector.astype(np.float32)))[:most]
        return [found[index][0] for index in order]

    async def similarities(self, session: AsyncSession, ids: Sequence[int], vector: Vectors) -> Mapping[int, float]:
        """See ``PassageVectors``."""
        found = await rows(
            session, "SELECT id, vector FROM passages WHERE id = ANY(:ids) AND vector IS NOT NULL", ids=list(ids)
        )
        return {key: float(np.frombuffer(stored, np.float32) @ vector) for key, stored in found}

    async def _of_store(self, session: AsyncSession, store_id: str) -> Sketches:
        """The sketches of a store's finished documents; another server may have changed them."""
        state = "SELECT count(*), sum(number), max(number) FROM indexed_documents WHERE store_id = :store AND ready"
        now = tuple((await rows(session, state, store=store_id))[0])
        kept = self._sketches.get(store_id)
        if kept is not None and kept[0] == now:
            self._sketches.move_to_end(store_id)
            return kept[1]
        where, values = among(store_id, None)
        # A server that has pgvector may have put passages in while this one runs without: those have no sketch.
        sketched = (
            f"FROM passages p JOIN indexed_documents d ON d.number = p.document WHERE {where} AND p.sketch IS NOT NULL"
        )
        found = await rows(session, f"SELECT p.id, p.document, p.sketch {sketched}", **values)
        fresh = await asyncio.to_thread(Sketches.of_rows, found, self._sketcher)
        self._sketches[store_id] = now, fresh
        while len(self._sketches) > 1 and sum(kept.bytes for _, kept in self._sketches.values()) > MOST_CACHED_BYTES:
            self._sketches.popitem(last=False)
        return fresh
