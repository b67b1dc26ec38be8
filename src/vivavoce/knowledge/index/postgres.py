"""The index in PostgreSQL: beside the rows, so that a passage goes with its file in one transaction.

Vectors are pgvector's where the server has it (``PgVectors``), else kept in columns of its own (``QuantizedIndex``). Words are
PostgreSQL's own full-text search over words that are cut before.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from vivavoce.knowledge.index.base import Candidate, Candidates, IndexedFile, PassageIndex
from vivavoce.knowledge.index.binary_quantisation import BinaryQuantizer
from vivavoce.knowledge.index.pgvector import PgVectors
from vivavoce.knowledge.index.quantised_index import QuantizedIndex
from vivavoce.knowledge.index.vectors import PassageVectors, among, rows
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.words import rankable, searchable
from vivavoce.store.database import Database
from vivavoce.types import Vectors

log = logging.getLogger(__name__)

CONFIGURATION = "english"
"""Of the full-text search: English words by their stems; Chinese ones pass through as they are."""

_COMMON = f"""
WITH usual AS (
    SELECT s.lexeme, s.share
    FROM pg_stats p, unnest(p.most_common_elems::text::text[], p.most_common_elem_freqs) s(lexeme, share)
    WHERE p.attname = 'words' AND (p.schemaname, p.tablename) = (
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = 'passages'::regclass
    )
)
SELECT term, max(u.share) * (SELECT reltuples FROM pg_class WHERE oid = 'passages'::regclass)
FROM unnest(CAST(:terms AS text[])) term
JOIN usual u ON u.lexeme = ANY(tsvector_to_array(to_tsvector('{CONFIGURATION}', term))) GROUP BY term
"""
"""How many passages hold a word, by the statistics PostgreSQL keeps of common ones."""

_NUMBERS = "SELECT nextval(pg_get_serial_sequence('passages', 'id')) FROM generate_series(1, :count)"
_INSERT = f"""
INSERT INTO passages (id, document, ordinal, headings, page, text, words, sketch, vector) OVERRIDING SYSTEM VALUE
VALUES (:id, :document, :ordinal, :headings, :page, :text, to_tsvector('{CONFIGURATION}', :words), :sketch, :vector)
"""
_PASSAGES = "FROM passages p JOIN indexed_documents d ON d.number = p.document"
_FOUND = f"""
SELECT p.id, d.file_id, p.ordinal, p.headings, p.page, p.text {_PASSAGES} WHERE p.id = ANY(:ids) AND d.ready
"""
_HERE = "store_id = :store AND file_id = :file"
_ELSEWHERE = "SELECT EXISTS (SELECT 1 FROM passages WHERE vector IS NULL)"


class PostgresIndex(PassageIndex):
    """The tables of the migration, and with pgvector one more."""

    _vectors: PassageVectors

    def __init__(self, database: Database, model: str, examples: Callable[[], Awaitable[Vectors]]) -> None:
        """``model`` names what makes the vectors; ``examples`` are some of them, asked for when the index is new."""
        self._database = database
        self._model = model
        self._examples = examples

    @override
    async def open(self) -> bool:
        async with self._database.rows.begin(patient=True) as session:
            # Another server may be making the same, and a graph of many vectors takes minutes.
            await session.execute(text("SET LOCAL lock_timeout = 0"))
            await session.execute(text("LOCK TABLE index_model"))
            quantizer, emptied = await self._quantizer(session)
            vectors = await PgVectors.open(session, len(quantizer.centre))
            if isinstance(vectors, PgVectors):
                self._vectors = vectors
                return emptied
            log.warning("%s: vectors are searched in this server's own memory (docs/retrieval.md)", vectors)
            self._vectors = QuantizedIndex(quantizer)
            if (await rows(session, _ELSEWHERE))[0][0]:
                # The extension was there and is not any more, and the vectors went with it.
                await session.execute(text("DELETE FROM indexed_documents"))
                emptied = True
        return emptied

    async def _quantizer(self, session: AsyncSession) -> tuple[BinaryQuantizer, bool]:
        """The quantizer of this model, made once and kept; and whether it, and with it the index, is new."""
        stored = await rows(session, "SELECT centre, turn FROM index_model WHERE name = :name", name=self._model)
        if stored:
            centre = np.frombuffer(stored[0][0], np.float32)
            return BinaryQuantizer(centre, np.frombuffer(stored[0][1], np.float32).reshape(len(centre), -1)), False
        quantizer = await asyncio.to_thread(BinaryQuantizer.from_examples, await self._examples())
        await session.execute(text("DELETE FROM indexed_documents"))
        await session.execute(text("DELETE FROM index_model"))
        values = {"name": self._model, "centre": quantizer.centre.tobytes(), "turn": quantizer.rotation.tobytes()}
        await session.execute(text("INSERT INTO index_model VALUES (:name, :centre, :turn)"), values)
        return quantizer, True

    @override
    async def begin(self, document: IndexedFile) -> int:
        insert = (
            "INSERT INTO indexed_documents (store_id, file_id, ready) "
            f"SELECT store_id, file_id, false FROM vector_store_files WHERE {_HERE} RETURNING number"
        )
        async with self._database.rows.begin() as session:
            await session.execute(text(f"DELETE FROM indexed_documents WHERE {_HERE}"), _key(document))
            numbers = await rows(session, insert, **_key(document))
        # A file that was taken out meanwhile has no row to refer to.
        return int(numbers[0][0]) if numbers else 0

    @override
    async def add(self, number: int, passages: Sequence[Passage], vectors: Vectors) -> None:
        exists = "SELECT 1 FROM indexed_documents WHERE number = :number FOR KEY SHARE"
        passage_rows = await asyncio.to_thread(_rows_of, passages)
        columns = await self._vectors.row_columns(vectors)
        async with self._database.rows.begin() as session:
            if not passages or not await rows(session, exists, number=number):
                return
            ids = [passage_id for (passage_id,) in await rows(session, _NUMBERS, count=len(passages))]
            values = [
                {"id": passage_id, "document": number, **row, **vector_columns}
                for passage_id, row, vector_columns in zip(ids, passage_rows, columns, strict=True)
            ]
            await session.execute(text(_INSERT), values)
            await self._vectors.add(session, number, ids, vectors)

    @override
    async def finish(self, number: int) -> bool:
        show = "UPDATE indexed_documents SET ready = true WHERE number = :number RETURNING number"
        async with self._database.rows.begin() as session:
            return bool(await rows(session, show, number=number))

    @override
    async def abandon(self, number: int) -> None:
        async with self._database.rows.begin() as session:
            await session.execute(text("DELETE FROM indexed_documents WHERE number = :number"), {"number": number})

    @override
    async def forget(self, documents: Collection[IndexedFile]) -> None:
        async with self._database.rows.begin(patient=True) as session:
            for document in documents:
                await session.execute(text(f"DELETE FROM indexed_documents WHERE {_HERE}"), _key(document))

    @override
    async def forget_store(self, store_id: str) -> None:
        async with self._database.rows.begin(patient=True) as session:
            await session.execute(text("DELETE FROM indexed_documents WHERE store_id = :store"), {"store": store_id})

    @override
    async def documents(self) -> set[IndexedFile]:
        async with self._database.reading() as session:
            return {IndexedFile(*row) for row in await rows(session, "SELECT store_id, file_id FROM indexed_documents")}

    @override
    async def count(self, document: IndexedFile) -> int:
        async with self._database.reading() as session:
            counts = await rows(session, f"SELECT count(*) {_PASSAGES} WHERE {_HERE}", **_key(document))
            return int(counts[0][0])

    @override
    async def passages(self, document: IndexedFile) -> list[Passage]:
        where, values = among(document.store_id, [document.file_id])
        statement = f"SELECT p.ordinal, p.text, p.headings, p.page {_PASSAGES} WHERE {where} ORDER BY p.ordinal"
        async with self._database.reading() as session:
            found = await rows(session, statement, **values)
        return [Passage(ordinal, words, tuple(json.loads(headings)), page) for ordinal, words, headings, page in found]

    @override
    async def search(
        self, store_id: str, vector: Vectors, terms: Sequence[str], limit: int, files: Collection[str] | None = None
    ) -> Candidates:
        async with self._database.reading() as session:
            matching = await self._by_words(session, store_id, terms, limit, files)
            nearest = await self._vectors.nearest(session, store_id, vector, limit, files)
            ids = list({*nearest, *matching})
            similarities = await self._vectors.similarities(session, ids, vector)
            candidates = [
                Candidate(key, file, Passage(ordinal, words, tuple(json.loads(headings)), page), similarities[key])
                for key, file, ordinal, headings, page, words in await rows(session, _FOUND, ids=ids)
                if key in similarities
            ]
        positions = {candidate.id: index for index, candidate in enumerate(candidates)}
        return Candidates(
            candidates,
            [positions[key] for key in nearest if key in positions],
            [positions[key] for key in matching if key in positions],
        )

    @override
    async def close(self) -> None:
        """Nothing of its own is open."""

    async def _by_words(
        self, session: AsyncSession, store_id: str, terms: Sequence[str], limit: int, files: Collection[str] | None
    ) -> list[int]:
        if not terms:
            return []
        common = {row[0]: row[1] for row in await rows(session, _COMMON, terms=list(terms))}
        rankable_terms = rankable({term: common.get(term, 0) for term in terms})
        where, values = among(store_id, files)
        query = f"to_tsquery('{CONFIGURATION}', :query)"
        statement = (
            f"SELECT p.id {_PASSAGES} WHERE {where} AND p.words @@ {query} "
            f"ORDER BY ts_rank(p.words, {query}) DESC, p.id LIMIT :limit"
        )
        found = await rows(session, statement, **values, query=" | ".join(rankable_terms), limit=limit)
        return [key for (key,) in found]


def _rows_of(passages: Sequence[Passage]) -> list[dict[str, object]]:
    return [
        {
            "ordinal": passage.ordinal,
            "headings": json.dumps(passage.headings),
            "page": passage.page,
            "text": passage.text,
            "words": searchable(passage.whole),
        }
        for passage in passages
    ]


def _key(document: IndexedFile) -> Mapping[str, str]:
    return {"store": document.store_id, "file": document.file_id}
