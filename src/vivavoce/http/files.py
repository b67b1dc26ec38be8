"""``/v1/files``: what clients upload for other endpoints to use (platform reference, section 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote, urlsplit

from fastapi import APIRouter, Query, Request, Response, UploadFile
from starlette.responses import StreamingResponse

from vivavoce.errors import ClientError
from vivavoce.http.auth import Owner
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.serving import Serving
from vivavoce.http.uploads import FORM_BYTES, uploaded_form
from vivavoce.protocol.files import File, FileDeleted, FileFields, FileList
from vivavoce.store.file_types import MOST_BYTES, purpose_of
from vivavoce.store.files import MOST_FILES
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


@router.post("/v1/files", openapi_extra=_FORM, max_body_size=MOST_BYTES + FORM_BYTES)
async def create_file(request: Request, owner: Owner) -> File:
    """Upload a file, or have the server fetch it from a URL."""
    serving: Serving = request.app.state.serving
    async with uploaded_form(request, FileForm, most_bytes=MOST_BYTES) as form:
        most_bytes = purpose_of(form.purpose).most_bytes
        if form.file is not None:
            return shown(await _create(serving, owner, form, form.file.filename or "", _pieces(form.file)))
        if form.url is None:
            raise ClientError("Either 'file' or 'url' is needed.", code="missing_required_parameter", param="file")
        download = serving.fetcher.stream(form.url, most_bytes=most_bytes, timeout_s=FETCHED_WITHIN_S, param="url")
        async with download as fetched:
            name = unquote(PurePosixPath(urlsplit(fetched.url).path).name)
            return shown(await _create(serving, owner, form, name, fetched.chunks))


@router.get("/v1/files")
async def list_files(
    request: Request,
    owner: Owner,
    purpose: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = MOST_FILES,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(max_length=64)] = None,
) -> FileList:
    """All files, the newest first; or a page of them."""
    serving: Serving = request.app.state.serving
    files = await serving.files.list(owner, purpose=purpose, newest_first=order == "desc")
    if after is not None:
        places = [place for place, file in enumerate(files) if file.id == after]
        if not places:
            raise ClientError(f"There is no file '{after}' in this list.", param="after")
        files = files[places[0] + 1 :]
    page = [shown(file) for file in files[:limit]]
    first, last = (page[0].id, page[-1].id) if page else (None, None)
    return FileList(data=page, has_more=len(files) > limit, first_id=first, last_id=last)


@router.get("/v1/files/{file_id}")
async def get_file(request: Request, owner: Owner, file_id: str) -> File:
    """What is known about a file."""
    serving: Serving = request.app.state.serving
    return shown(await serving.files.get(owner, file_id))


@router.get("/v1/files/{file_id}/content", response_class=Response, responses=_BYTES)
async def get_content(request: Request, owner: Owner, file_id: str) -> Response:
    """The file's bytes; for purpose `file-extract` the text that is in it."""
    serving: Serving = request.app.state.serving
    file = await serving.files.get(owner, file_id)
    if file.purpose == "file-extract":
        return StreamingResponse(await serving.files.text(file), media_type="text/plain; charset=utf-8")
    headers = {
        "content-length": str(file.bytes),
        # It is a client's, not ours: a browser must keep it, and neither show nor run it as a page of this server.
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(await serving.files.read(file), media_type=file.content_type, headers=headers)


@router.delete("/v1/files/{file_id}")
async def delete_file(request: Request, owner: Owner, file_id: str) -> FileDeleted:
    """Delete a file and its bytes."""
    serving: Serving = request.app.state.serving
    await serving.library.delete_file(owner, file_id)
    return FileDeleted(id=file_id)


def shown(file: FileRow) -> File:
    """A file as clients see it."""
    return File.model_validate(file, from_attributes=True)


async def _create(serving: Serving, owner: str, form: FileForm, name: str, chunks: AsyncIterator[bytes]) -> FileRow:
    return await serving.files.create(owner, name, form.purpose, chunks, expires_after_s=form.expires_after_s)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE_BYTES):
        yield piece
