"""The files of vector stores, one by one and in batches (platform reference, section 8)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.uploads import bounded_json
from vivavoce.http.vector_store_objects import (
    Knowledge,
    PageQuery,
    each_once,
    file_of_list,
    listed_files,
    new_file,
    shown_batch,
    shown_file,
)
from vivavoce.knowledge.stores import NewFile
from vivavoce.protocol import vector_stores as wire
from vivavoce.store.files import new_id

router = APIRouter(route_class=ReportingRoute, tags=["vector stores"])

BODY_BYTES = 1024 * 1024

# ---- files


@router.post("/v1/vector_stores/{store_id}/files", max_body_size=BODY_BYTES)
async def add_files(
    request: Request, knowledge: Knowledge, owner: Owner, store_id: str
) -> wire.AddedFiles | wire.VectorStoreFile | wire.AddedByForm:
    """Put files into a store. They are read in the background: watch their status.

    ``files`` is StepFun's form, ``file_id`` OpenAI's; a form with ``file_ids`` is StepFun's old one.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        files = [NewFile(file_id) for file_id in await _form_ids(request)]
        await knowledge.add_files(owner, store_id, files)
        return wire.AddedByForm(id=files[0].file_id, usage_bytes=0, vector_store_id=store_id)
    body = await bounded_json(request, wire.FilesToAdd, most_bytes=BODY_BYTES)
    if body.file_id is not None:
        file = new_file(body.file_id, attributes=body.attributes, strategy=body.chunking_strategy)
        (row,) = await knowledge.add_files(owner, store_id, [file])
        return await shown_file(knowledge, row)
    if body.files is not None:
        files = [file_of_list(file) for file in body.files]
    elif body.file_ids is not None:
        ids = body.file_ids.split(",") if isinstance(body.file_ids, str) else body.file_ids
        files = [new_file(file_id.strip(), strategy=body.chunking_strategy) for file_id in ids]
    else:
        raise ClientError("'files' is missing.", code="missing_param", param="files")
    await knowledge.add_files(owner, store_id, each_once(files))
    return wire.AddedFiles(
        files=[wire.AddedFile(file_id=file.file_id, metadata={"description": file.description}) for file in files]
    )


@router.get("/v1/vector_stores/{store_id}/files")
async def list_files(
    knowledge: Knowledge,
    owner: Owner,
    store_id: str,
    page: PageQuery,
    filter: Annotated[wire.FileStatus | None, Query()] = None,
) -> wire.VectorStoreFileList:
    """A page of a store's files, of one status if ``filter`` says so."""
    return await listed_files(knowledge, owner, store_id, page, filter)


@router.get("/v1/vector_stores/{store_id}/files/{file_id}")
async def get_file(knowledge: Knowledge, owner: Owner, store_id: str, file_id: str) -> wire.VectorStoreFile:
    """One file of a store, and how far it has been read."""
    return await shown_file(knowledge, await knowledge.stores.file(owner, store_id, file_id))


@router.get("/v1/vector_stores/{store_id}/files/{file_id}/content")
async def get_content(knowledge: Knowledge, owner: Owner, store_id: str, file_id: str) -> wire.FileContent:
    """The passages a file was cut into."""
    passages = await knowledge.passages(owner, store_id, file_id)
    return wire.FileContent(data=[wire.PassageText(text=passage.whole) for passage in passages])


@router.post("/v1/vector_stores/{store_id}/files/{file_id}")
async def change_file(
    knowledge: Knowledge, owner: Owner, store_id: str, file_id: str, change: wire.FileChange
) -> wire.VectorStoreFile:
    """Change a file's attributes."""
    await knowledge.stores.change_file(owner, store_id, file_id, change.attributes or {})
    return await shown_file(knowledge, await knowledge.stores.file(owner, store_id, file_id))


@router.delete("/v1/vector_stores/{store_id}/files/{file_id}")
async def remove_file(knowledge: Knowledge, owner: Owner, store_id: str, file_id: str) -> wire.VectorStoreFileDeleted:
    """Take a file out of a store, with all its passages; the file itself stays."""
    await knowledge.remove_file(owner, store_id, file_id)
    return wire.VectorStoreFileDeleted(id=file_id)


# ---- batches


@router.post("/v1/vector_stores/{store_id}/file_batches")
async def add_batch(knowledge: Knowledge, owner: Owner, store_id: str, body: wire.BatchToAdd) -> wire.FileBatch:
    """Put several files into a store, and watch them as one."""
    if (body.files is None) == (body.file_ids is None):
        raise ClientError("Either 'file_ids' or 'files' is needed.", code="missing_param", param="file_ids")
    if body.files is not None:
        files = [file_of_list(file) for file in body.files]
    else:
        files = [
            new_file(file_id, attributes=body.attributes, strategy=body.chunking_strategy)
            for file_id in body.file_ids or ()
        ]
    batch_id = new_id("vsfb_")
    await knowledge.add_files(owner, store_id, each_once(files), batch_id=batch_id)
    return await shown_batch(knowledge, owner, store_id, batch_id)


@router.get("/v1/vector_stores/{store_id}/file_batches/{batch_id}")
async def get_batch(knowledge: Knowledge, owner: Owner, store_id: str, batch_id: str) -> wire.FileBatch:
    """How far the files of a batch are."""
    return await shown_batch(knowledge, owner, store_id, batch_id)


@router.post("/v1/vector_stores/{store_id}/file_batches/{batch_id}/cancel")
async def cancel_batch(knowledge: Knowledge, owner: Owner, store_id: str, batch_id: str) -> wire.FileBatch:
    """Give up what of a batch has not been read yet."""
    await knowledge.stores.cancel_batch(owner, store_id, batch_id)
    return await shown_batch(knowledge, owner, store_id, batch_id)


@router.get("/v1/vector_stores/{store_id}/file_batches/{batch_id}/files")
async def list_batch(
    knowledge: Knowledge,
    owner: Owner,
    store_id: str,
    batch_id: str,
    page: PageQuery,
    filter: Annotated[wire.FileStatus | None, Query()] = None,
) -> wire.VectorStoreFileList:
    """A page of a batch's files."""
    return await listed_files(knowledge, owner, store_id, page, filter, batch_id)


# ---- the old form


async def _form_ids(request: Request) -> list[str]:
    """The ids of the old form: ``file_ids`` once with commas, or several times."""
    async with request.form(max_files=0, max_fields=wire.MAX_FILES_AT_ONCE) as form:
        values = [value for name in ("file_ids", "file_ids[]") for value in form.getlist(name)]
    texts = [value for value in values if not isinstance(value, UploadFile)]
    ids = [file_id.strip() for text in texts for file_id in text.split(",") if file_id.strip()]
    if not ids:
        raise ClientError("'file_ids' is missing.", code="missing_param", param="file_ids")
    if len(ids) > wire.MAX_FILES_AT_ONCE:
        raise ClientError(f"At most {wire.MAX_FILES_AT_ONCE} files are added at once.", param="file_ids")
    return list(dict.fromkeys(ids))
