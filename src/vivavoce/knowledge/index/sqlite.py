"""The SQLite index: one SQLite file beside the database, through APSW, because Python's own ``sqlite3`` often comes
without extensions and without a new FTS5.

It has a file of its own for a second reason: two copies of SQLite in one process must not open the same file (closing it
in one drops the locks of the other). What both files say is kept in step by ``documents`` and ``forget``.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw
import numpy as np
import sqlite_vec
from typing_extensions import override

from vivavoce.closing import CloseStack
from vivavoce.errors import StoreError
from vivavoce.knowledge.index.base import Candidate, Candidates, IndexedFile, PassageIndex
from vivavoce.knowledge.index.binary_quantisation import BinaryQuantizer, QuantizedVectors
from vivavoce.knowledge.index.failures import index_error
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.words import rankable, searchable
from vivavoce.types import Vectors

T = TypeVar("T")

BUSY_MS = 5_000
MAX_CACHED_BYTES = 256 * 1024 * 1024
DELETED_AT_ONCE = 500
"""Passages deleted in one transaction: nobody waits long for a large document to go."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS model (name TEXT PRIMARY KEY, centre BLOB NOT NULL, turn BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS stores (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, store INTEGER NOT NULL, file TEXT NOT NULL, ready INTEGER NOT NULL,
    UNIQUE (store, file)
);
CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    headings TEXT NOT NULL, page INTEGER, text TEXT NOT NULL,
    UNIQUE (document, ordinal)
);
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sketches (id INTEGER PRIMARY KEY, document INTEGER NOT NULL, sketch BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS sketches_of_documents ON sketches (document);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (place, said, tokenize = 'porter unicode61');
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (words, row);
"""

WITHOUT_POSITIONS = "SELECT 1 FROM sqlite_master WHERE name = 'words' AND sql LIKE '%detail = column%'"
"""Saves a fifth of the words' space, and makes ranking them three times as slow: each match is cut into words again."""

WITH_POSITIONS = """
ALTER TABLE words RENAME TO old_words;
CREATE VIRTUAL TABLE words USING fts5 (place, said, tokenize = 'porter unicode61');
INSERT INTO words (rowid, place, said) SELECT rowid, place, said FROM old_words;
DROP TABLE old_words;
"""

OF_DOCUMENT = "SELECT d.number FROM documents d JOIN stores s ON s.number = d.store WHERE s.id = ? AND d.file = ?"

SHOWN, HIDDEN = (
    f"UPDATE documents SET ready = {ready} WHERE number = ? RETURNING (SELECT id FROM stores s WHERE s.number = store)"
    for ready in (1, 0)
)

OF_FILES = """
SELECT d.number FROM json_each(?) wanted JOIN documents d ON d.store = ? AND d.file = wanted.value WHERE d.ready
"""

FOUND = """
SELECT p.id, d.file, p.ordinal, p.headings, p.page, p.text, 1 - vec_distance_cosine(v.vector, ?)
FROM json_each(?) wanted
JOIN passages p ON p.id = wanted.value JOIN vectors v ON v.id = p.id JOIN documents d ON d.number = p.document
WHERE d.ready
"""

NEAREST = """
SELECT v.id FROM json_each(?) wanted JOIN vectors v ON v.id = wanted.value
ORDER BY vec_distance_cosine(v.vector, ?) LIMIT ?
"""

MATCHING = "SELECT rowid FROM words WHERE words MATCH ? AND rank MATCH 'bm25(0.0, 1.0)' ORDER BY rank LIMIT ?"

MATCHING_OF_DOCUMENTS = """
SELECT w.rowid FROM words w JOIN sketches k ON k.id = w.rowid
WHERE w.words MATCH ? AND w.rank MATCH 'bm25(0.0, 1.0)' AND k.document IN (SELECT value FROM json_each(?))
ORDER BY w.rank LIMIT ?
"""


class SqliteIndex(PassageIndex):
    """One thread writes and one reads, each with a connection of its own."""

    def __init__(self, path: Path, model: str, examples: Callable[[], Awaitable[Vectors]]) -> None:
        """``model`` names what makes the vectors; ``examples`` are some of them, asked for when the index is new."""
        self._path = path
        self._model = model
        self._examples = examples
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="index-writer")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="index-reader")
        self._sketches: OrderedDict[str, QuantizedVectors] = OrderedDict()
        self._changes = 0
        self._lock = threading.Lock()

    @override
    async def open(self) -> bool:
        """Open the file; whether it is to be filled again, because it is new or of another model. Raises ``StoreError``."""
        try:
            self._write_db = await self._run_on(self._writer, self._connect)
            emptied = not await self._run_on(self._writer, self._prepare)
            if emptied:
                examples = await self._examples()
                await self._run_on(self._writer, self._start_afresh, examples)
            self._read_db = await self._run_on(self._reader, self._connect)
        except (StoreError, OSError) as error:
            error_type = type(error) if isinstance(error, StoreError) else StoreError
            raise error_type(f"Cannot open the index {self._path}: {error}") from error
        return emptied

    @override
    async def begin(self, document: IndexedFile) -> int:
        await self.forget([document])
        return await self._run_on(self._writer, self._begin, document)

    @override
    async def add(self, number: int, passages: Sequence[Passage], vectors: Vectors) -> None:
        await self._run_on(self._writer, self._add, number, passages, vectors)

    @override
    async def finish(self, number: int) -> bool:
        return await self._run_on(self._writer, self._finish, number)

    @override
    async def abandon(self, number: int) -> None:
        await self._delete(number)
        await self._run_on(self._writer, self._tidy)

    @override
    async def forget(self, documents: Collection[IndexedFile]) -> None:
        deleted = False
        for document in documents:
            for number in await self._run_on(self._writer, self._numbers_of, document):
                await self._delete(number)
                deleted = True
        if deleted:
            await self._run_on(self._writer, self._tidy)

    @override
    async def forget_store(self, store_id: str) -> None:
        await self.forget([document for document in await self.documents() if document.store_id == store_id])
        await self._run_on(self._writer, self._write_one, "DELETE FROM stores WHERE id = ?", (store_id,))

    @override
    async def documents(self) -> set[IndexedFile]:
        return await self._run_on(self._reader, self._documents)

    @override
    async def count(self, document: IndexedFile) -> int:
        return await self._run_on(self._reader, self._count, document)

    @override
    async def passages(self, document: IndexedFile) -> list[Passage]:
        return await self._run_on(self._reader, self._passages, document)

    @override
    async def search(
        self, store_id: str, vector: Vectors, terms: Sequence[str], limit: int, files: Collection[str] | None = None
    ) -> Candidates:
        return await self._run_on(self._reader, self._search, store_id, vector, terms, limit, files)

    @override
    async def close(self) -> None:
        async with CloseStack() as stack:
            for threads, connection in ((self._writer, "_write_db"), (self._reader, "_read_db")):
                stack.call("the threads of the index", partial(threads.shutdown, wait=False))
                if hasattr(self, connection):
                    stack.call("the index", partial(self._run_on, threads, getattr(self, connection).close))

    async def _delete(self, number: int) -> None:
        while await self._run_on(self._writer, self._delete_some, number):
            pass

    async def _run_on(self, threads: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
        """Work once begun is done to its end, also when nobody waits any more: a transaction is never left half-way.

        Raises ``StoreError`` for what SQLite fails with.
        """
        future: Future[T] = threads.submit(work, *arguments)
        try:
            return await asyncio.wrap_future(future)
        except apsw.Error as error:
            raise index_error(error) from error

    # ---- on the writer's thread

    def _connect(self) -> apsw.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = apsw.Connection(str(self._path))
        self._path.chmod(0o600)
        connection.set_busy_timeout(BUSY_MS)
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        connection.enable_load_extension(False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "cache_size = -32000"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _prepare(self) -> bool:
        """The tables; whether they are this model's. The quantizer is made once and kept, because sketches are."""
        with self._write_db:
            if _rows(self._write_db, WITHOUT_POSITIONS):
                self._write_db.execute(WITH_POSITIONS)
            self._write_db.execute(SCHEMA)
            row = _rows(self._write_db, "SELECT centre, turn FROM model WHERE name = ?", (self._model,))
        if row:
            centre = np.frombuffer(row[0][0], np.float32)
            self._quantizer = BinaryQuantizer(centre, np.frombuffer(row[0][1], np.float32).reshape(len(centre), -1))
        return bool(row)

    def _start_afresh(self, examples: Vectors) -> None:
        self._quantizer = BinaryQuantizer.from_examples(examples)
        values = (self._model, self._quantizer.centre.tobytes(), self._quantizer.rotation.tobytes())
        with self._write_db:
            for table in ("words", "sketches", "vectors", "passages", "documents", "stores", "model"):
                self._write_db.execute(f"DELETE FROM {table}")
            self._write_db.execute("INSERT INTO model VALUES (?, ?, ?)", values)

    def _write_one(self, statement: str, values: tuple[str, ...]) -> None:
        with self._write_db:
            self._write_db.execute(statement, values)

    def _begin(self, document: IndexedFile) -> int:
        with self._write_db:
            self._write_db.execute("INSERT OR IGNORE INTO stores (id) VALUES (?)", (document.store_id,))
            self._write_db.execute(
                "INSERT INTO documents (store, file, ready) SELECT number, ?, 0 FROM stores WHERE id = ?",
                (document.file_id, document.store_id),
            )
            number: int = self._write_db.last_insert_rowid()
        return number

    def _add(self, number: int, passages: Sequence[Passage], vectors: Vectors) -> None:
        sketches = self._quantizer.sketch(vectors)
        with self._write_db:
            rows = _rows(self._write_db, "SELECT store FROM documents WHERE number = ?", (number,))
            if not rows:
                return  # it was forgotten while it was being read
            store = rows[0][0]
            for passage, vector, sketch in zip(passages, vectors, sketches, strict=True):
                self._write_db.execute(
                    "INSERT INTO passages (document, ordinal, headings, page, text) VALUES (?, ?, ?, ?, ?)",
                    (number, passage.ordinal, json.dumps(passage.headings), passage.page, passage.text),
                )
                key = self._write_db.last_insert_rowid()
                self._write_db.execute("INSERT INTO vectors VALUES (?, ?)", (key, vector.tobytes()))
                self._write_db.execute("INSERT INTO sketches VALUES (?, ?, ?)", (key, number, sketch.tobytes()))
                words = (key, _place(store), searchable(passage.whole))
                self._write_db.execute("INSERT INTO words (rowid, place, said) VALUES (?, ?, ?)", words)

    def _finish(self, number: int) -> bool:
        with self._write_db:
            shown = _rows(self._write_db, SHOWN, (number,))
        for (store_id,) in shown:
            self._changed(store_id)
        return bool(shown)

    def _numbers_of(self, document: IndexedFile) -> list[int]:
        return [row[0] for row in _rows(self._write_db, OF_DOCUMENT, (document.store_id, document.file_id))]

    def _delete_some(self, number: int) -> bool:
        """Delete some of a document's passages, or the document when there are none left; whether there is more to do."""
        with self._write_db:
            stores = _rows(self._write_db, HIDDEN, (number,))
            batch = "SELECT id FROM passages WHERE document = ? LIMIT ?"
            ids = [key for (key,) in _rows(self._write_db, batch, (number, DELETED_AT_ONCE))]
            for table, column in (("words", "rowid"), ("sketches", "id"), ("vectors", "id"), ("passages", "id")):
                self._write_db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(key,) for key in ids])
            if not ids:
                self._write_db.execute("DELETE FROM documents WHERE number = ?", (number,))
        for (store_id,) in stores:
            self._changed(store_id)
        return bool(ids)

    def _tidy(self) -> None:
        """What was deleted is still in the log of writes until that is written back."""
        self._write_db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _changed(self, store_id: str) -> None:
        with self._lock:
            self._changes += 1
            self._sketches.pop(store_id, None)

    # ---- on the reader's thread

    def _documents(self) -> set[IndexedFile]:
        rows = _rows(self._read_db, "SELECT s.id, d.file FROM documents d JOIN stores s ON s.number = d.store")
        return {IndexedFile(*row) for row in rows}

    def _count(self, document: IndexedFile) -> int:
        statement = f"SELECT count(*) FROM passages WHERE document = ({OF_DOCUMENT})"
        count: int = _rows(self._read_db, statement, (document.store_id, document.file_id))[0][0]
        return count

    def _passages(self, document: IndexedFile) -> list[Passage]:
        statement = (
            "SELECT p.ordinal, p.text, p.headings, p.page FROM passages p JOIN documents d ON d.number = p.document "
            f"WHERE d.ready AND d.number = ({OF_DOCUMENT}) ORDER BY p.ordinal"
        )
        rows = _rows(self._read_db, statement, (document.store_id, document.file_id))
        return [Passage(ordinal, text, tuple(json.loads(headings)), page) for ordinal, text, headings, page in rows]

    def _search(
        self, store_id: str, vector: Vectors, terms: Sequence[str], limit: int, files: Collection[str] | None
    ) -> Candidates:
        store = _rows(self._read_db, "SELECT number FROM stores WHERE id = ?", (store_id,))
        if not store:
            return Candidates((), (), ())
        number = store[0][0]
        question = vector.astype(np.float32).tobytes()
        documents = None
        if files is not None:
            documents = [row[0] for row in _rows(self._read_db, OF_FILES, (json.dumps(list(files)), number))]
        likely = self._of_store(store_id, number).nearest_candidates(self._quantizer.sketch(vector[None])[0], documents)
        nearest = [key for (key,) in _rows(self._read_db, NEAREST, (json.dumps(likely), question, limit))]
        matching = self._by_words(number, terms, limit, documents)
        candidates = [
            Candidate(key, file, Passage(ordinal, text, tuple(json.loads(headings)), page), similarity)
            for key, file, ordinal, headings, page, text, similarity in _rows(
                self._read_db, FOUND, (question, json.dumps(list({*nearest, *matching})))
            )
        ]
        positions = {candidate.id: index for index, candidate in enumerate(candidates)}
        return Candidates(
            candidates,
            [positions[key] for key in nearest if key in positions],
            [positions[key] for key in matching if key in positions],
        )

    def _by_words(self, store: int, terms: Sequence[str], limit: int, documents: Sequence[int] | None) -> list[int]:
        rankable_terms = self._rankable(terms)
        if not rankable_terms:
            return []
        words = " OR ".join(f'"{term}"' for term in rankable_terms)
        matching = f'place : "{_place(store)}" AND said : ({words})'
        if documents is None:
            return [key for (key,) in _rows(self._read_db, MATCHING, (matching, limit))]
        return [key for (key,) in _rows(self._read_db, MATCHING_OF_DOCUMENTS, (matching, json.dumps(documents), limit))]

    def _rankable(self, terms: Sequence[str]) -> list[str]:
        """The terms that are there, without the commonest if too much would match."""
        return rankable({term: count for term in terms if (count := self._matches(term))})

    def _matches(self, term: str) -> int:
        """How many passages hold a word, in whatever form its stem takes."""
        tokenize = self._read_db.fts5_tokenizer("porter", ["unicode61"])
        stems = tokenize(term.encode(), apsw.FTS5_TOKENIZE_QUERY, None, include_offsets=False, include_colocated=False)
        counts = [_rows(self._read_db, "SELECT doc FROM vocabulary WHERE term = ?", (stem,)) for stem in stems]
        return min((count[0][0] if count else 0 for count in counts), default=0)

    def _of_store(self, store_id: str, number: int) -> QuantizedVectors:
        """The sketches of a store's finished documents, kept for the next question until something changes."""
        with self._lock:
            cached, changes = self._sketches.get(store_id), self._changes
        if cached is not None:
            return cached
        rows = _rows(
            self._read_db,
            "SELECT k.id, k.document, k.sketch FROM documents d JOIN sketches k ON k.document = d.number "
            "WHERE d.store = ? AND d.ready",
            (number,),
        )
        loaded = QuantizedVectors.from_rows(rows, self._quantizer)
        with self._lock:
            if changes == self._changes:
                self._sketches[store_id] = loaded
                while len(self._sketches) > 1 and sum(map(_size, self._sketches.values())) > MAX_CACHED_BYTES:
                    self._sketches.popitem(last=False)
        return loaded


def _size(sketches: QuantizedVectors) -> int:
    return sketches.bytes


def _rows(connection: apsw.Connection, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    return connection.execute(statement, values).fetchall()


def _place(store: int) -> str:
    return f"store{store}"
