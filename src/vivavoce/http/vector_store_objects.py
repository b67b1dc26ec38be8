"""What the routes of vector stores share: their parameters, and rows as objects of the wire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from vivavoce.http.core import knowledge_of
from vivavoce.http.lifecycle import core_of
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.knowledge.stores import NewFile, expired, expires_at
from vivavoce.knowledge.tables import VectorStoreFileRow, VectorStoreRow
from vivavoce.protocol import vector_stores as wire
from vivavoce.store.paging import Page


def _knowledge(request: Request) -> KnowledgeService:
    return knowledge_of(core_of(request).shared)


def _page(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> Page:
    return Page(limit, order == "asc", after, before)


Knowledge = Annotated[KnowledgeService, Depends(_knowledge)]
PageQuery = Annotated[Page, Depends(_page)]


# ---- what is shown


async def shown_stores(knowledge: KnowledgeService, rows: Sequence[VectorStoreRow]) -> list[wire.VectorStore]:
    """Stores as clients see them, with the counts of their files."""
    counts = await knowledge.stores.counts([row.id for row in rows])
    return [_store(row, counts[row.id]) for row in rows]


def _store(row: VectorStoreRow, counts: dict[str, int]) -> wire.VectorStore:
    days = row.expires_after_days
    return wire.VectorStore(
        id=row.id,
        created_at=row.created_at,
        name=row.name,
        description=row.description,
        file_counts=wire.FileCounts(**{name: counts[name] for name in wire.FileCounts.model_fields}),
        status="expired" if expired(row) else "in_progress" if counts["in_progress"] else "completed",
        usage_bytes=counts["bytes"],
        last_active_at=row.last_active_at,
        expires_after=None if days is None else wire.ExpiresAfter(days=days),
        expires_at=expires_at(row),
        metadata=json.loads(row.details),
    )


async def listed_files(
    knowledge: KnowledgeService,
    owner: str,
    store_id: str,
    page: Page,
    status: wire.FileStatus | None,
    batch_id: str | None = None,
) -> wire.VectorStoreFileList:
    """A page of the files of a store, or of a batch. Raises ``ClientError``."""
    rows, more = await knowledge.stores.files(owner, store_id, page, status=status, batch_id=batch_id)
    names = await knowledge.stores.filenames([row.file_id for row in rows])
    objects = [_file(row, names.get(row.file_id, "")) for row in rows]
    first, last = (objects[0].id, objects[-1].id) if objects else (None, None)
    return wire.VectorStoreFileList(data=objects, first_id=first, last_id=last, has_more=more)


async def shown_file(knowledge: KnowledgeService, row: VectorStoreFileRow) -> wire.VectorStoreFile:
    """A file of a store as clients see it."""
    names = await knowledge.stores.filenames([row.file_id])
    return _file(row, names.get(row.file_id, ""))


def _file(row: VectorStoreFileRow, filename: str) -> wire.VectorStoreFile:
    error = None
    if row.error_code is not None:
        error = wire.LastError.model_validate({"code": row.error_code, "message": row.error_message or ""})
    strategy = wire.ChunkingStrategy()
    if row.passage_tokens is not None:
        sizes = {"max_chunk_size_tokens": row.passage_tokens, "chunk_overlap_tokens": row.overlap_tokens or 0}
        strategy = wire.ChunkingStrategy.model_validate({"type": "static", "static": sizes})
    return wire.VectorStoreFile.model_validate(
        {
            "id": row.file_id,
            "created_at": row.created_at,
            "vector_store_id": row.store_id,
            "status": row.status,
            "progress": round(row.progress, 2),
            "passages": row.passages,
            "usage_bytes": row.usage_bytes,
            "last_error": error,
            "metadata": {"description": row.description, "file_name": filename},
            "attributes": json.loads(row.attributes),
            "chunking_strategy": strategy,
        }
    )


async def shown_batch(knowledge: KnowledgeService, owner: str, store_id: str, batch_id: str) -> wire.FileBatch:
    """A batch as clients see it. Raises ``ClientError``."""
    batch = await knowledge.stores.batch(owner, store_id, batch_id)
    return wire.FileBatch(
        id=batch_id,
        created_at=batch.created_at,
        vector_store_id=store_id,
        status=batch.status,
        file_counts=wire.FileCounts(**{name: batch.counts[name] for name in wire.FileCounts.model_fields}),
    )


# ---- what is asked


def new_file(
    file_id: str,
    *,
    description: str = "",
    attributes: wire.Attributes | None = None,
    strategy: wire.ChunkingStrategy | None = None,
) -> NewFile:
    """A file that is to be put into a store, as OpenAI describes it."""
    static = strategy.static if strategy else None
    tokens, overlap = (static.max_chunk_size_tokens, static.chunk_overlap_tokens) if static else (None, None)
    return NewFile(file_id, description, attributes, tokens, overlap)


def file_of_list(file: wire.FileToAdd) -> NewFile:
    """One of several that are to be put into a store, as StepFun describes it."""
    return new_file(
        file.file_id, description=file.description, attributes=file.attributes, strategy=file.chunking_strategy
    )


def each_once(files: Sequence[NewFile]) -> list[NewFile]:
    """A file named twice is one file, as it was named last."""
    return list({file.file_id: file for file in files}.values())
