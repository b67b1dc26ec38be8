"""The index in PostgreSQL: beside the rows, so that a passage goes with its file in one transaction.

Likely passages are found by their sketches in this process, as in the embedded index, and looked at exactly here: it needs
no extension. Words are PostgreSQL's own full-text search over words that are cut before.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from vivavoce.knowledge.index.base import Candidate, Candidates, Document
from vivavoce.knowledge.index.sketches import WORD_BITS, Sketcher, Sketches
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.words import searchable
from vivavoce.store.database import Database
from vivavoce.types import Vectors

MOST_CACHED_BYTES = 256 * 1024 * 1024
CONFIGURATION = "english"
"""Of the full-text search: English words by their stems; Chinese ones pass through as they are."""

_INSERT = f"""
INSERT INTO passages (document, ordinal, headings, page, text, words, sketch, vector)
VALUES (:document, :ordinal, :headings, :page, :text, to_tsvector('{CONFIGURATION}', :words), :sketch, :vector)
"""
_OF_STORE = "FROM passages p JOIN indexed_documents d ON d.number = p.document WHERE d.store_id = :store AND d.ready"
_NAMED = f"""
SELECT p.id {_OF_STORE} AND p.words @@ to_tsquery('{CONFIGURATION}', :query)
ORDER BY ts_rank(p.words, to_tsquery('{CONFIGURATION}', :query)) DESC, p.id LIMIT :most
"""
_FOUND = """
SELECT p.id, d.file_id, p.ordinal, p.headings, p.page, p.text, p.vector
FROM passages p JOIN indexed_documents d ON d.number = p.document WHERE p.id = ANY(:ids) AND d.ready
"""
_HERE = "store_id = :store AND file_id = :file"


class PostgresIndex:
    """The tables of the migration; sketches of stores are kept until their documents change, whichever server changes them."""

    def __init__(self, database: Database, model: str, examples: Callable[[], Awaitable[Vectors]]) -> None:
        """``model`` names what makes the vectors; ``examples`` are some of them, asked for when the index is new."""
        self._database = database
        self._model = model
        self._examples = examples
        self._sketches: OrderedDict[str, tuple[tuple[Any, ...], Sketches]] = OrderedDict()

    async def open(self) -> bool:
        """See ``PassageIndex``."""
        async with self._database.rows.begin() as session:
            await session.execute(text("LOCK TABLE index_model"))
            known = await _all(session, "SELECT centre, turn FROM index_model WHERE name = :name", name=self._model)
            if known:
                centre = np.frombuffer(known[0][0], np.float32)
                self._sketcher = Sketcher(centre, np.frombuffer(known[0][1], np.float32).reshape(len(centre), -1))
                return False
            self._sketcher = Sketcher.about(await self._examples())
            await session.execute(text("DELETE FROM indexed_documents"))
            await session.execute(text("DELETE FROM index_model"))
            made = {
                "name": self._model,
                "centre": self._sketcher.centre.tobytes(),
                "turn": self._sketcher.turn.tobytes(),
            }
            await session.execute(text("INSERT INTO index_model VALUES (:name, :centre, :turn)"), made)
        return True

    async def begin(self, document: Document) -> None:
        """See ``PassageIndex``."""
        async with self._database.rows.begin() as session:
            await session.execute(text(f"DELETE FROM indexed_documents WHERE {_HERE}"), _place(document))
            # A file that was taken out meanwhile has no row to refer to.
            await session.execute(
                text(
                    "INSERT INTO indexed_documents (store_id, file_id, ready) "
                    f"SELECT store_id, file_id, false FROM vector_store_files WHERE {_HERE}"
                ),
                _place(document),
            )

    async def add(self, document: Document, passages: Sequence[Passage], vectors: Vectors) -> None:
        """See ``PassageIndex``."""
        rows = await asyncio.to_thread(self._rows, passages, vectors)
        async with self._database.rows.begin() as session:
            found = await _all(session, f"SELECT number FROM indexed_documents WHERE {_HERE}", **_place(document))
            if found:
                await session.execute(text(_INSERT), [{**row, "document": found[0][0]} for row in rows])

    async def finish(self, document: Document) -> None:
        """See ``PassageIndex``."""
        async with self._database.rows.begin() as session:
            await session.execute(text(f"UPDATE indexed_documents SET ready = true WHERE {_HERE}"), _place(document))

    async def forget(self, documents: Collection[Document]) -> None:
        """See ``PassageIndex``."""
        async with self._database.rows.begin() as session:
            for document in documents:
                await session.execute(text(f"DELETE FROM indexed_documents WHERE {_HERE}"), _place(document))

    async def forget_store(self, store_id: str) -> None:
        """See ``PassageIndex``."""
        self._sketches.pop(store_id, None)
        async with self._database.rows.begin() as session:
            await session.execute(text("DELETE FROM indexed_documents WHERE store_id = :store"), {"store": store_id})

    async def documents(self) -> set[Document]:
        """See ``PassageIndex``."""
        async with self._database.reading() as session:
            return {Document(*row) for row in await _all(session, "SELECT store_id, file_id FROM indexed_documents")}

    async def count(self, document: Document) -> int:
        """See ``PassageIndex``."""
        statement = f"SELECT count(*) FROM passages p JOIN indexed_documents d ON d.number = p.document WHERE {_HERE}"
        async with self._database.reading() as session:
            return int((await _all(session, statement, **_place(document)))[0][0])

    async def passages(self, document: Document) -> list[Passage]:
        """See ``PassageIndex``."""
        statement = f"SELECT p.ordinal, p.text, p.headings, p.page {_OF_STORE} AND d.file_id = :file ORDER BY p.ordinal"
        async with self._database.reading() as session:
            rows = await _all(session, statement, **_place(document))
        return [Passage(ordinal, words, tuple(json.loads(headings)), page) for ordinal, words, headings, page in rows]

    async def search(self, store_id: str, vector: Vectors, terms: Sequence[str], most: int) -> Candidates:
        """See ``PassageIndex``."""
        async with self._database.reading() as session:
            sketches = await self._of_store(session, store_id)
            likely = await asyncio.to_thread(sketches.likely, self._sketcher.sketch(vector[None])[0])
            near = await self._nearest(session, likely, vector, most)
            query = {"store": store_id, "query": " | ".join(terms), "most": most}
            named = [row[0] for row in await _all(session, _NAMED, **query)] if terms else []
            rows = await _all(session, _FOUND, ids=list({*near, *named}))
        found = [
            Candidate(key, file, Passage(ordinal, words, tuple(json.loads(headings)), page), _cosine(stored, vector))
            for key, file, ordinal, headings, page, words, stored in rows
        ]
        at = {candidate.id: index for index, candidate in enumerate(found)}
        return Candidates(found, [at[key] for key in near if key in at], [at[key] for key in named if key in at])

    async def close(self) -> None:
        """Nothing of its own is open."""

    # ---- inside

    def _rows(self, passages: Sequence[Passage], vectors: Vectors) -> list[dict[str, Any]]:
        return [
            {
                "ordinal": passage.ordinal,
                "headings": json.dumps(passage.headings),
                "page": passage.page,
                "text": passage.text,
                "words": searchable(passage.whole),
                "sketch": sketch.tobytes(),
                "vector": vector.astype(np.float32).tobytes(),
            }
            for passage, vector, sketch in zip(passages, vectors, self._sketcher.sketch(vectors), strict=True)
        ]

    async def _nearest(self, session: AsyncSession, likely: Sequence[int], vector: Vectors, most: int) -> list[int]:
        rows = await _all(session, "SELECT id, vector FROM passages WHERE id = ANY(:ids)", ids=list(likely))
        if not rows:
            return []
        stored = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), -1)
        order = np.argsort(-(stored @ vector.astype(np.float32)))[:most]
        return [rows[index][0] for index in order]

    async def _of_store(self, session: AsyncSession, store_id: str) -> Sketches:
        """The sketches of a store's finished documents; another server may have changed them."""
        state = "SELECT count(*), sum(number), max(number) FROM indexed_documents WHERE store_id = :store AND ready"
        now = tuple((await _all(session, state, store=store_id))[0])
        kept = self._sketches.get(store_id)
        if kept is not None and kept[0] == now:
            self._sketches.move_to_end(store_id)
            return kept[1]
        rows = await _all(session, f"SELECT p.id, p.sketch {_OF_STORE}", store=store_id)
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        words = self._sketcher.turn.shape[1] // WORD_BITS
        fresh = Sketches(ids, np.frombuffer(b"".join(row[1] for row in rows), np.uint64).reshape(len(rows), words))
        self._sketches[store_id] = now, fresh
        while len(self._sketches) > 1 and sum(kept.bytes for _, kept in self._sketches.values()) > MOST_CACHED_BYTES:
            self._sketches.popitem(last=False)
        return fresh


def _cosine(stored: bytes, vector: Vectors) -> float:
    return float(np.frombuffer(stored, np.float32) @ vector)


def _place(document: Document) -> Mapping[str, str]:
    return {"store": document.store_id, "file": document.file_id}


async def _all(session: AsyncSession, statement: str, **values: Any) -> Sequence[Any]:
    return (await session.execute(text(statement), values)).all()
