"""``/v1/vector_stores``: knowledge of one's own, in StepFun's words and in OpenAI's (platform reference, section 8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.vector_store_objects import (
    Knowledge,
    PageQuery,
    new_file,
    shown_stores,
)
from vivavoce.knowledge.filters import Filter, read_filter
from vivavoce.knowledge.search import Hit
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.knowledge.stores import NewStore
from vivavoce.protocol import vector_stores as wire

router = APIRouter(route_class=ReportingRoute, tags=["vector stores"])

UNNAMED = "vector store"


@router.post("/v1/vector_stores")
async def create_store(knowledge: Knowledge, owner: Owner, new: wire.VectorStoreNew) -> wire.VectorStore:
    """Make a vector store, with files or without."""
    if new.type == "image":
        raise ClientError(
            "Vector stores of images are not available on this server.", code="unsupported_value", param="type"
        )
    store = NewStore(
        UNNAMED if new.name is None else new.name,
        description=new.description or "",
        details=new.metadata,
        expires_after_days=new.expires_after.days if new.expires_after else None,
    )
    files = [new_file(file_id, strategy=new.chunking_strategy) for file_id in dict.fromkeys(new.file_ids or ())]
    row = await knowledge.create_store(owner, store, files)
    return (await shown_stores(knowledge, [row]))[0]


@router.get("/v1/vector_stores")
async def list_stores(knowledge: Knowledge, owner: Owner, page: PageQuery) -> wire.VectorStoreList:
    """A page of one's vector stores."""
    rows, more = await knowledge.stores.page(owner, page)
    objects = await shown_stores(knowledge, rows)
    first, last = (objects[0].id, objects[-1].id) if objects else (None, None)
    return wire.VectorStoreList(data=objects, first_id=first, last_id=last, has_more=more)


@router.get("/v1/vector_stores/{store_id}")
async def get_store(knowledge: Knowledge, owner: Owner, store_id: str) -> wire.VectorStore:
    """One vector store."""
    return (await shown_stores(knowledge, [await knowledge.stores.get(owner, store_id)]))[0]


@router.post("/v1/vector_stores/{store_id}")
async def change_store(
    knowledge: Knowledge, owner: Owner, store_id: str, change: wire.VectorStoreChange
) -> wire.VectorStore:
    """Change a store's name, metadata or expiry."""
    values: dict[str, Any] = {}
    if change.name is not None:
        values["name"] = change.name
    if change.metadata is not None:
        values["details"] = json.dumps(change.metadata)
    if "expires_after" in change.model_fields_set:
        values["expires_after_days"] = change.expires_after.days if change.expires_after else None
    return (await shown_stores(knowledge, [await knowledge.stores.change(owner, store_id, values)]))[0]


@router.delete("/v1/vector_stores/{store_id}")
async def delete_store(knowledge: Knowledge, owner: Owner, store_id: str) -> wire.VectorStoreDeleted:
    """Delete a vector store and all its passages; the files stay."""
    await knowledge.delete_store(owner, store_id)
    return wire.VectorStoreDeleted(id=store_id)


@router.post("/v1/vector_stores/{store_id}/search")
async def search(
    request: Request, knowledge: Knowledge, owner: Owner, store_id: str, body: wire.Search
) -> wire.StoreSearchResults:
    """The passages that answer a question best."""
    core = core_of(request)
    questions = [body.query] if isinstance(body.query, str) else body.query
    filters = read_filter(body.filters) if body.filters is not None else None
    min_score = body.ranking_options.score_threshold if body.ranking_options else 0.0
    async with core.request_slots.hold(owner):
        hits = await _search_all(knowledge, owner, store_id, questions, body.max_num_results, filters)
        knowledge.stores.touch(store_id)
        attributes = await knowledge.stores.attributes(store_id, [hit.file_id for hit in hits])
    return wire.StoreSearchResults(
        search_query=questions,
        data=[
            wire.SearchHit(
                file_id=hit.file_id,
                filename=hit.filename,
                score=hit.score,
                attributes=attributes.get(hit.file_id, {}),
                content=[wire.PassageText(text=hit.passage.whole)],
            )
            for hit in hits
            if hit.score >= min_score
        ],
    )


async def _search_all(
    knowledge: KnowledgeService, owner: str, store_id: str, questions: Sequence[str], most: int, filters: Filter | None
) -> list[Hit]:
    """What several questions find, each passage once, best first."""
    found: dict[tuple[str, int], Hit] = {}
    for question in questions:
        for hit in await knowledge.search(owner, store_id, question, most, filters=filters):
            key = hit.file_id, hit.passage.ordinal
            if key not in found or found[key].score < hit.score:
                found[key] = hit
    return sorted(found.values(), key=lambda hit: (hit.score, hit.similarity), reverse=True)[:most]
