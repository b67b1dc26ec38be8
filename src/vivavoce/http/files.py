"""``/v1/files``: what clients upload for other endpoints to use (platform reference, section 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote, urlsplit

from fastapi import APIRouter, Query, Request, Response, UploadFile
from starlette.responses import StreamingResponse

from vivavoce.errors import ClientError
from vivavoce.extras import installed
from vivavoce.http.auth import Owner
from vivavoce.http.core import Core
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.uploads import FORM_BYTES, uploaded_form
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.protocol.files import File, FileDeleted, FileFields, FileList
from vivavoce.store.file_types import MAX_BYTES, purpose_of
from vivavoce.store.files import MAX_FILES
from vivavoce.store.tables import FileRow

router = APIRouter(route_class=ReportingRoute, tags=["files"])

FETCHED_WITHIN_S = 120.0
_PIECE_BYTES = 256 * 1024


class FileForm(FileFields):
    """An upload with its file, or with a URL to fetch it from."""

    file: UploadFile | None = None


_FORM = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": FileForm.model_json_schema()}},
    }
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file as it was uploaded; of a `file-extract` its text.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}, "text/plain": {}},
    }
}


@router.post("/v1/files", openapi_extra=_FORM, max_body_size=MAX_BYTES + FORM_BYTES)
async def create_file(request: Request, owner: Owner) -> File:
    """Upload a file, or have the server fetch it from a URL."""
    core = core_of(request)
    async with uploaded_form(request, FileForm, most_bytes=MAX_BYTES) as form:
        max_bytes = purpose_of(form.purpose).max_bytes
        if form.file is not None:
            return file_object(await _create(core, owner, form, form.file.filename or "", _pieces(form.file)))
        if form.url is None:
            raise ClientError("Either 'file' or 'url' is needed.", code="missing_required_parameter", param="file")
        download = core.fetcher.stream(form.url, max_bytes=max_bytes, timeout_s=FETCHED_WITHIN_S, param="url")
        async with download as fetched:
            name = unquote(PurePosixPath(urlsplit(fetched.url).path).name)
            return file_object(await _create(core, owner, form, name, fetched.chunks))


@router.get("/v1/files")
async def list_files(
    request: Request,
    owner: Owner,
    purpose: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = MAX_FILES,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(max_length=64)] = None,
) -> FileList:
    """All files, the newest first; or a page of them."""
    core = core_of(request)
    files = await core.files.list(owner, purpose=purpose, newest_first=order == "desc")
    if after is not None:
        positions = [position for position, file in enumerate(files) if file.id == after]
        if not positions:
            raise ClientError(f"There is no file '{after}' in this list.", param="after")
        files = files[positions[0] + 1 :]
    page = [file_object(file) for file in files[:limit]]
    first, last = (page[0].id, page[-1].id) if page else (None, None)
    return FileList(data=page, has_more=len(files) > limit, first_id=first, last_id=last)


@router.get("/v1/files/{file_id}")
async def get_file(request: Request, owner: Owner, file_id: str) -> File:
    """What is known about a file."""
    core = core_of(request)
    return file_object(await core.files.get(owner, file_id))


@router.get("/v1/files/{file_id}/content", response_class=Response, responses=_BYTES)
async def get_content(request: Request, owner: Owner, file_id: str) -> Response:
    """The file's bytes; for purpose `file-extract` the text that is in it."""
    core = core_of(request)
    file = await core.files.get(owner, file_id)
    if file.purpose == "file-extract":
        return StreamingResponse(await core.files.text(file), media_type="text/plain; charset=utf-8")
    headers = {
        "content-length": str(file.bytes),
        # It is a client's, not ours: a browser must keep it, and neither show nor run it as a page of this server.
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(await core.files.read(file), media_type=file.content_type, headers=headers)


@router.delete("/v1/files/{file_id}")
async def delete_file(request: Request, owner: Owner, file_id: str) -> FileDeleted:
    """Delete a file and its bytes."""
    core = core_of(request)
    delete = core.shared[KnowledgeService].delete_file if installed("knowledge") else core.files.delete
    await delete(owner, file_id)
    return FileDeleted(id=file_id)


def file_object(file: FileRow) -> File:
    """A file as clients see it."""
    return File.model_validate(file, from_attributes=True)


async def _create(core: Core, owner: str, form: FileForm, name: str, chunks: AsyncIterator[bytes]) -> FileRow:
    return await core.files.create(owner, name, form.purpose, chunks, expires_after_s=form.expires_after_s)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE_BYTES):
        yield piece
