"""Bodies that are large: forms whose files go to the disk while they arrive, and JSON of a bounded size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from vivavoce.errors import ClientError
from vivavoce.http.incoming import incoming_body
from vivavoce.protocol.json_text import readable

FORM_BYTES = 256 * 1024
"""What the fields of a form beside its file may take."""

MAX_FIELDS = 100
FIELD_BYTES = 64 * 1024
"""What one field may take."""

_SPOOLED_BYTES = 1024 * 1024
"""Of a file, in memory; what is beyond goes to the disk."""

Model = TypeVar("Model", bound=BaseModel)


@asynccontextmanager
async def uploaded_form(request: Request, model: type[Model], *, most_bytes: int) -> AsyncIterator[Model]:
    """A multipart form with at most one file of ``most_bytes``, which is on the disk beyond 1 MB and gone afterwards.

    A name that ends in ``[]``, and one that is there several times, is a list. Raises ``ClientError``
    (``unsupported_media_type``, ``request_too_large``, ``invalid_request``) and ``RequestValidationError``.
    """
    form = await _parsed(request, most_bytes + FORM_BYTES)
    try:
        yield _validated(model, _fields(form))
    finally:
        await form.close()


async def bounded_json(request: Request, model: type[Model], *, most_bytes: int) -> Model:
    """A JSON body of at most ``most_bytes``. Raises ``ClientError`` and ``RequestValidationError``."""
    body = bytearray()
    async for chunk in _bounded(request, most_bytes):
        body += chunk
    try:
        return await asyncio.to_thread(lambda: model.model_validate_json(readable(bytes(body))))
    except ValidationError as error:
        raise _invalid(error) from error


async def _parsed(request: Request, most_bytes: int) -> FormData:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise ClientError("The body must be multipart/form-data.", code="unsupported_media_type", param="content-type")
    incoming_body(request).goes_to_disk(beyond=_SPOOLED_BYTES + MAX_FIELDS * FIELD_BYTES)
    parser = MultiPartParser(
        request.headers,
        _bounded(request, most_bytes),
        max_files=1,
        max_fields=MAX_FIELDS,
        max_part_size=FIELD_BYTES,
    )
    try:
        return await parser.parse()
    except (MultiPartException, KeyError) as error:
        reason = error.message if isinstance(error, MultiPartException) else "it has no boundary"
        raise ClientError(f"The form cannot be read: {reason}", code="invalid_request") from error


async def _bounded(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body. Raises ``ClientError`` (``request_too_large``)."""
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > most_bytes:
            raise ClientError(f"The body is larger than {most_bytes} bytes.", code="request_too_large")
        yield chunk


def _fields(form: FormData) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for name in dict.fromkeys(form):
        entries = form.getlist(name)
        values[name.removesuffix("[]")] = entries if name.endswith("[]") or len(entries) > 1 else entries[0]
    return values


def _validated(model: type[Model], values: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: ValidationError) -> RequestValidationError:
    details = error.errors(include_url=False, include_input=False)
    return RequestValidationError([{**detail, "loc": ("body", *detail["loc"])} for detail in details])
