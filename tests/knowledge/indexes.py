"""Documents put into an index of any kind, and questions asked of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from vivavoce.engines.fake import FakeEmbedder
from vivavoce.knowledge.index.base import Candidates, IndexedFile, PassageIndex
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.words import terms_of
from vivavoce.store.database import Database
from vivavoce.types import EmbedOptions, Vectors

EMBEDDER = FakeEmbedder()
TEXTS = [
    "The battery lasts eleven hours.",
    "退货须在三十天内提出，运费由买家承担。",
    "The office in Lyon is closed on holidays.",
    "会议室可容纳十二人。",
]


async def examples() -> Vectors:
    return await EMBEDDER.embed(["one thing", "another", "第三"], EmbedOptions())


async def put(index: PassageIndex, document: IndexedFile, texts: Sequence[str], *, finish: bool = True) -> int:
    begun = await index.begin(document)
    await add(index, begun, texts)
    if finish:
        assert await index.finish(begun)
    return begun


async def add(index: PassageIndex, begun: int, texts: Sequence[str]) -> None:
    passages = [Passage(number, text, ("Title",), number + 1) for number, text in enumerate(texts)]
    await index.add(begun, passages, await EMBEDDER.embed([passage.whole for passage in passages], EmbedOptions()))


async def ask(
    index: PassageIndex, store: str, question: str, most: int = 3, files: Sequence[str] | None = None
) -> Candidates:
    vector = (await EMBEDDER.embed([question], EmbedOptions(query=True)))[0]
    return await index.search(store, vector, terms_of(question), most, files)


def files_of(found: Candidates) -> set[str]:
    return {candidate.file_id for candidate in found.passages}


def nearest(found: Candidates) -> list[str]:
    """The texts nearest in meaning, best first."""
    return [found.passages[at].passage.text for at in found.by_meaning]


async def make_rows(database: Database, *documents: IndexedFile) -> None:
    """The rows the index in PostgreSQL refers to."""
    values = [{"store": document.store_id, "file": document.file_id} for document in documents]
    async with database.rows.begin() as session:
        for statement in (
            "INSERT INTO vector_stores (id, owner, name, description, details, created_at, last_active_at) "
            "VALUES (:store, 'alice', 'handbook', '', '{}', 0, 0) ON CONFLICT DO NOTHING",
            "INSERT INTO files (id, owner, filename, purpose, content_type, bytes, sha256, blob, status, created_at) "
            "VALUES (:file, 'alice', 'a.txt', 'retrieval-text', 'text/plain', 1, '', '', 'success', 0) "
            "ON CONFLICT DO NOTHING",
            "INSERT INTO vector_store_files (store_id, file_id, owner, position, status, progress, description, "
            "attributes, passages, usage_bytes, attempts, leased_until, created_at) "
            "VALUES (:store, :file, 'alice', 0, 'completed', 1, '', '{}', 0, 0, 0, 0, 0)",
        ):
            await session.execute(text(statement), values)
