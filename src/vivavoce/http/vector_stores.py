"""``/v1/vector_stores``: knowledge of one's own, in StepFun's words and in OpenAI's (platform reference, section 8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import UploadFile

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.serving import Serving
from vivavoce.http.uploads import bounded_json
from vivavoce.knowledge.filters import Filter, read_filter
from vivavoce.knowledge.library import Library
from vivavoce.knowledge.search import Hit
from vivavoce.knowledge.stores import NewFile, Page, expired, expires_at
from vivavoce.knowledge.tables import VectorStoreFileRow, VectorStoreRow
from vivavoce.protocol import vector_stores as wire
from vivavoce.store.files import new_id

router = APIRouter(route_class=ReportingRoute, tags=["vector stores"])

BODY_BYTES = 1024 * 1024
UNNAMED = "vector store"


def _library(request: Request) -> Library:
    serving: Serving = request.app.state.serving
    return serving.library


def _page(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> Page:
    return Page(limit, order == "asc", after, before)


Knowledge = Annotated[Library, Depends(_library)]
Wanted = Annotated[Page, Depends(_page)]

# ---- stores


@router.post("/v1/vector_stores")
async def create_store(library: Knowledge, owner: Owner, new: wire.VectorStoreNew) -> wire.VectorStore:
    """Make a vector store, with files or without."""
    if new.type == "image":
        raise ClientError(
            "Vector stores of images are not available on this server.", code="unsupported_value", param="type"
        )
    row = await library.stores.create(
        owner,
        UNNAMED if new.name is None else new.name,
        description=new.description or "",
        details=new.metadata,
        expires_after_days=new.expires_after.days if new.expires_after else None,
    )
    if new.file_ids:
        try:
            files = [_new_file(file_id, strategy=new.chunking_strategy) for file_id in dict.fromkeys(new.file_ids)]
            await library.add_files(owner, row.id, files)
        except ClientError:
            await library.delete_store(owner, row.id)
            raise
    return (await _shown(library, [row]))[0]


@router.get("/v1/vector_stores")
async def list_stores(library: Knowledge, owner: Owner, page: Wanted) -> wire.VectorStoreList:
    """A page of one's vector stores."""
    rows, more = await library.stores.page(owner, page)
    shown = await _shown(library, rows)
    first, last = (shown[0].id, shown[-1].id) if shown else (None, None)
    return wire.VectorStoreList(data=shown, first_id=first, last_id=last, has_more=more)


@router.get("/v1/vector_stores/{store_id}")
async def get_store(library: Knowledge, owner: Owner, store_id: str) -> wire.VectorStore:
    """One vector store."""
    return (await _shown(library, [await library.stores.get(owner, store_id)]))[0]


@router.post("/v1/vector_stores/{store_id}")
async def change_store(
    library: Knowledge, owner: Owner, store_id: str, change: wire.VectorStoreChange
) -> wire.VectorStore:
    """Change a store's name, metadata or expiry."""
    values: dict[str, Any] = {}
    if change.name is not None:
        values["name"] = change.name
    if change.metadata is not None:
        values["details"] = json.dumps(change.metadata)
    if "expires_after" in change.model_fields_set:
        values["expires_after_days"] = change.expires_after.days if change.expires_after else None
    return (await _shown(library, [await library.stores.change(owner, store_id, values)]))[0]


@router.delete("/v1/vector_stores/{store_id}")
async def delete_store(library: Knowledge, owner: Owner, store_id: str) -> wire.VectorStoreDeleted:
    """Delete a vector store and all its passages; the files stay."""
    await library.delete_store(owner, store_id)
    return wire.VectorStoreDeleted(id=store_id)


@router.post("/v1/vector_stores/{store_id}/search")
async def search(
    request: Request, library: Knowledge, owner: Owner, store_id: str, wanted: wire.Search
) -> wire.SearchResults:
    """The passages that answer a question best."""
    serving: Serving = request.app.state.serving
    questions = [wanted.query] if isinstance(wanted.query, str) else wanted.query
    filters = read_filter(wanted.filters) if wanted.filters is not None else None
    least = wanted.ranking_options.score_threshold if wanted.ranking_options else 0.0
    async with serving.requests.taken_for(owner):
        hits = await _found(library, owner, store_id, questions, wanted.max_num_results, filters)
        library.stores.touch(store_id)
        attributes = await library.stores.attributes(store_id, [hit.file_id for hit in hits])
    return wire.SearchResults(
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
            if hit.score >= least
        ],
    )


async def _found(
    library: Library, owner: str, store_id: str, questions: Sequence[str], most: int, filters: Filter | None
) -> list[Hit]:
    """What several questions find, each passage once, best first."""
    found: dict[tuple[str, int], Hit] = {}
    for question in questions:
        for hit in await library.search(owner, store_id, question, most, filters=filters):
            key = hit.file_id, hit.passage.ordinal
            if key not in found or found[key].score < hit.score:
                found[key] = hit
    return sorted(found.values(), key=lambda hit: (hit.score, hit.similarity), reverse=True)[:most]


# ---- files

_ADDED_EITHER_WAY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": wire.FilesToAdd.model_json_schema(ref_template="#/components/schemas/{model}")
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file_ids": {"type": "string"}},
                    "required": ["file_ids"],
                }
            },
        },
    }
}


@router.post("/v1/vector_stores/{store_id}/files", max_body_size=BODY_BYTES)
async def add_files(
    request: Request, library: Knowledge, owner: Owner, store_id: str
) -> wire.AddedFiles | wire.VectorStoreFile | wire.AddedByForm:
    """Put files into a store. They are read in the background: watch their status.

    ``files`` is StepFun's form, ``file_id`` OpenAI's; a form with ``file_ids`` is StepFun's old one.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        files = [NewFile(file_id) for file_id in await _form_ids(request)]
        await library.add_files(owner, store_id, files)
        return wire.AddedByForm(id=files[0].file_id, usage_bytes=0, vector_store_id=store_id)
    wanted = await bounded_json(request, wire.FilesToAdd, most_bytes=BODY_BYTES)
    if wanted.file_id is not None:
        file = _new_file(wanted.file_id, attributes=wanted.attributes, strategy=wanted.chunking_strategy)
        (row,) = await library.add_files(owner, store_id, [file])
        return await _shown_file(library, row)
    if wanted.files is not None:
        files = [_of_list(file) for file in wanted.files]
    elif wanted.file_ids is not None:
        ids = wanted.file_ids.split(",") if isinstance(wanted.file_ids, str) else wanted.file_ids
        files = [_new_file(file_id.strip(), strategy=wanted.chunking_strategy) for file_id in ids]
    else:
        raise ClientError("'files' is missing.", code="missing_param", param="files")
    await library.add_files(owner, store_id, _each_once(files))
    return wire.AddedFiles(
        files=[wire.AddedFile(file_id=file.file_id, metadata={"description": file.description}) for file in files]
    )


@router.get("/v1/vector_stores/{store_id}/files")
async def list_files(
    library: Knowledge,
    owner: Owner,
    store_id: str,
    page: Wanted,
    filter: Annotated[wire.FileStatus | None, Query()] = None,
) -> wire.VectorStoreFileList:
    """A page of a store's files, of one status if ``filter`` says so."""
    return await _listed(library, owner, store_id, page, filter)


@router.get("/v1/vector_stores/{store_id}/files/{file_id}")
async def get_file(library: Knowledge, owner: Owner, store_id: str, file_id: str) -> wire.VectorStoreFile:
    """One file of a store, and how far it has been read."""
    return await _shown_file(library, await library.stores.file(owner, store_id, file_id))


@router.get("/v1/vector_stores/{store_id}/files/{file_id}/content")
async def get_content(library: Knowledge, owner: Owner, store_id: str, file_id: str) -> wire.FileContent:
    """The passages a file was cut into."""
    passages = await library.passages(owner, store_id, file_id)
    return wire.FileContent(data=[wire.PassageText(text=passage.whole) for passage in passages])


@router.post("/v1/vector_stores/{store_id}/files/{file_id}")
async def change_file(
    library: Knowledge, owner: Owner, store_id: str, file_id: str, change: wire.FileChange
) -> wire.VectorStoreFile:
    """Change a file's attributes."""
    await library.stores.change_file(owner, store_id, file_id, change.attributes or {})
    return await _shown_file(library, await library.stores.file(owner, store_id, file_id))


@router.delete("/v1/vector_stores/{store_id}/files/{file_id}")
async def remove_file(library: Knowledge, owner: Owner, store_id: str, file_id: str) -> wire.VectorStoreFileDeleted:
    """Take a file out of a store, with all its passages; the file itself stays."""
    await library.remove_file(owner, store_id, file_id)
    return wire.VectorStoreFileDeleted(id=file_id)


# ---- batches


@router.post("/v1/vector_stores/{store_id}/file_batches")
async def add_batch(library: Knowledge, owner: Owner, store_id: str, wanted: wire.BatchToAdd) -> wire.FileBatch:
    """Put several files into a store, and watch them as one."""
    if (wanted.files is None) == (wanted.file_ids is None):
        raise ClientError("Either 'file_ids' or 'files' is needed.", code="missing_param", param="file_ids")
    if wanted.files is not None:
        files = [_of_list(file) for file in wanted.files]
    else:
        files = [
            _new_file(file_id, attributes=wanted.attributes, strategy=wanted.chunking_strategy)
            for file_id in wanted.file_ids or ()
        ]
    batch_id = new_id("vsfb_")
    await library.add_files(owner, store_id, _each_once(files), batch_id=batch_id)
    return await _shown_batch(library, owner, store_id, batch_id)


@router.get("/v1/vector_stores/{store_id}/file_batches/{batch_id}")
async def get_batch(library: Knowledge, owner: Owner, store_id: str, batch_id: str) -> wire.FileBatch:
    """How far the files of a batch are."""
    return await _shown_batch(library, owner, store_id, batch_id)


@router.post("/v1/vector_stores/{store_id}/file_batches/{batch_id}/cancel")
async def cancel_batch(library: Knowledge, owner: Owner, store_id: str, batch_id: str) -> wire.FileBatch:
    """Give up what of a batch has not been read yet."""
    await library.stores.cancel_batch(owner, store_id, batch_id)
    return await _shown_batch(library, owner, store_id, batch_id)


@router.get("/v1/vector_stores/{store_id}/file_batches/{batch_id}/files")
async def list_batch(
    library: Knowledge,
    owner: Owner,
    store_id: str,
    batch_id: str,
    page: Wanted,
    filter: Annotated[wire.FileStatus | None, Query()] = None,
) -> wire.VectorStoreFileList:
    """A page of a batch's files."""
    return await _listed(library, owner, store_id, page, filter, batch_id)


# ---- what is shown


async def _shown(library: Library, rows: Sequence[VectorStoreRow]) -> list[wire.VectorStore]:
    counts = await library.stores.counts([row.id for row in rows])
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


async def _listed(
    library: Library,
    owner: str,
    store_id: str,
    page: Page,
    status: wire.FileStatus | None,
    batch_id: str | None = None,
) -> wire.VectorStoreFileList:
    rows, more = await library.stores.files(owner, store_id, page, status=status, batch_id=batch_id)
    names = await library.stores.filenames([row.file_id for row in rows])
    shown = [_file(row, names.get(row.file_id, "")) for row in rows]
    first, last = (shown[0].id, shown[-1].id) if shown else (None, None)
    return wire.VectorStoreFileList(data=shown, first_id=first, last_id=last, has_more=more)


async def _shown_file(library: Library, row: VectorStoreFileRow) -> wire.VectorStoreFile:
    names = await library.stores.filenames([row.file_id])
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


async def _shown_batch(library: Library, owner: str, store_id: str, batch_id: str) -> wire.FileBatch:
    rows, _ = await library.stores.files(owner, store_id, Page(limit=1, ascending=True), batch_id=batch_id)
    if not rows:
        raise ClientError(f"There is no batch '{batch_id[:100]}'.", code="batch_not_found", param="batch_id")
    counts = (await library.stores.counts([store_id], batch_id=batch_id))[store_id]
    status: wire.FileStatus = "completed"
    if counts["in_progress"]:
        status = "in_progress"
    elif counts["cancelled"]:
        status = "cancelled"
    elif counts["failed"] == counts["total"]:
        status = "failed"
    return wire.FileBatch(
        id=batch_id,
        created_at=rows[0].created_at,
        vector_store_id=store_id,
        status=status,
        file_counts=wire.FileCounts(**{name: counts[name] for name in wire.FileCounts.model_fields}),
    )


# ---- what is asked


def _new_file(
    file_id: str,
    *,
    description: str = "",
    attributes: wire.Attributes | None = None,
    strategy: wire.ChunkingStrategy | None = None,
) -> NewFile:
    static = strategy.static if strategy else None
    tokens, overlap = (static.max_chunk_size_tokens, static.chunk_overlap_tokens) if static else (None, None)
    return NewFile(file_id, description, attributes, tokens, overlap)


def _of_list(file: wire.FileToAdd) -> NewFile:
    return _new_file(
        file.file_id, description=file.description, attributes=file.attributes, strategy=file.chunking_strategy
    )


def _each_once(files: Sequence[NewFile]) -> list[NewFile]:
    """A file named twice is one file, as it was named last."""
    return list({file.file_id: file for file in files}.values())


async def _form_ids(request: Request) -> list[str]:
    """The ids of the old form: ``file_ids`` once with commas, or several times."""
    async with request.form(max_files=0, max_fields=wire.MOST_FILES_AT_ONCE) as form:
        given = [value for name in ("file_ids", "file_ids[]") for value in form.getlist(name)]
    texts = [value for value in given if not isinstance(value, UploadFile)]
    ids = [file_id.strip() for text in texts for file_id in text.split(",") if file_id.strip()]
    if not ids:
        raise ClientError("'file_ids' is missing.", code="missing_param", param="file_ids")
    if len(ids) > wire.MOST_FILES_AT_ONCE:
        raise ClientError(f"At most {wire.MOST_FILES_AT_ONCE} files are added at once.", param="file_ids")
    return list(dict.fromkeys(ids))
