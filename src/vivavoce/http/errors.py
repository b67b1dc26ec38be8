"""The documented error object as an HTTP answer (platform reference, section 2)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from vivavoce.errors import ClientError, EngineError, RateLimitError, StoreError, StoreFullError
from vivavoce.http.trace import note_refusal
from vivavoce.protocol.json_text import readable
from vivavoce.store.failures import store_error

log = logging.getLogger(__name__)

STATUS_OF_CODE = {
    "invalid_api_key": 401,
    "forbidden": 403,
    "insufficient_scope": 403,
    "file_not_found": 404,
    "voice_not_found": 404,
    "client_secret_not_found": 404,
    "consent_not_found": 404,
    "vector_store_not_found": 404,
    "batch_not_found": 404,
    "model_not_found": 404,
    "session_not_found": 404,
    "response_not_found": 404,
    "task_not_found": 404,
    "session_not_resumable": 410,
    "method_not_allowed": 405,
    "not_found": 404,
    "request_timeout": 408,
    "request_too_large": 413,
    "storage_quota_exceeded": 413,
    "unsupported_content_type": 415,
    "unsupported_media_type": 415,
    "rate_limit_exceeded": 429,
    "engine_error": 500,
    "internal_error": 500,
    "not_installed": 501,
    "search_failed": 502,
    "search_unavailable": 503,
    "server_busy": 503,
    "server_loading": 503,
    "server_stopping": 503,
    "store_busy": 503,
    "engine_busy": 503,
    "insufficient_storage": 507,
}
"""Error code → HTTP status; every other mistake of the client's is a 400."""

UNAVAILABLE_RETRY_S = 5


def error_response(error: ClientError) -> JSONResponse:
    """Status, headers and body of an error, which is noted for the log."""
    note_refusal(error)
    status, headers = STATUS_OF_CODE.get(error.code, 400), dict[str, str]()
    if isinstance(error, RateLimitError):
        headers["Retry-After"] = str(error.retry_after_s)
    elif status == 503:
        headers["Retry-After"] = str(UNAVAILABLE_RETRY_S)
    if error.code == "invalid_api_key":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error.body}, status_code=status, headers=headers)


async def refuse(error: ClientError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a connection that goes no further: an HTTP request, or a WebSocket before its upgrade."""
    answer = error_response(error)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


class ErrorDetail(BaseModel):
    """What went wrong: for people, for programs, and where."""

    message: str
    type: str
    code: str | None
    param: str | None


class ErrorAnswer(BaseModel):
    """Every answer that is not a 2xx (platform reference, section 2)."""

    error: ErrorDetail


_DESCRIPTIONS = {
    400: "A parameter is missing or wrong",
    401: "The key is missing, wrong, expired or revoked",
    403: "The key, or this place, does not open this",
    404: "There is nothing of this name",
    405: "The path has no such method",
    408: "The body came too slowly",
    409: "It contradicts what is there",
    413: "The body is too large",
    415: "The body is of another type",
    429: "Too much at the moment; `Retry-After` says when to try again",
    500: "The server failed",
    501: "This server was installed without what this needs",
    502: "A service this server asks gave no good answer",
    503: "The server, or its store, is not ready or busy; `Retry-After` says when to try again",
    507: "There is no room left on the server",
}

ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": description} for status, description in _DESCRIPTIONS.items()
}
"""For the OpenAPI description: what every route may answer."""


class _JsonRequest(Request):
    """A request whose JSON is read as that of a conversation: half a surrogate pair is U+FFFD."""

    async def json(self) -> Any:
        """The body as JSON. Raises ``JSONDecodeError`` and ``ClientError``."""
        return json.loads(readable(await self.body()))


class ReportingRoute(APIRoute):
    """A route that answers a ``ClientError`` with its error object, also one raised by a dependency.

    ``APIRouter(route_class=ReportingRoute)`` gives it to every route of a router.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI makes, with the errors answered."""
        handle = super().get_route_handler()

        async def report(request: Request) -> Response:
            try:
                return await handle(_JsonRequest(request.scope, request.receive))
            except ClientError as error:
                return error_response(error)

        return report


def answer_errors(app: FastAPI) -> None:
    """Give every error of an application the documented shape, also those the framework makes."""

    @app.exception_handler(ClientError)
    async def client_error(_: HTTPConnection, error: ClientError) -> Response:
        """Also of a WebSocket that is refused before its upgrade."""
        return error_response(error)

    @app.exception_handler(EngineError)
    async def engine_error(_: Request, error: EngineError) -> Response:
        log.error("%s", error)
        code = "engine_busy" if error.retriable else "engine_error"
        return error_response(ClientError(str(error), code=code, type="server_error"))

    @app.exception_handler(StoreError)
    async def failed_store(_: Request, error: StoreError) -> Response:
        log.error("%s", error)
        return error_response(error.client_error())

    @app.exception_handler(OSError)
    async def full_disk(_: Request, error: OSError) -> Response:
        """Where a body is kept while it arrives there may be no room either. Any other is a bug, or the client has gone."""
        failed = store_error(error)
        if not isinstance(failed, StoreFullError):
            raise error
        return error_response(failed.client_error())

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> Response:
        answer = error_response(_of_framework(error))
        if not isinstance(error.__cause__, ClientError):
            answer.status_code = error.status_code
        answer.headers.update(error.headers or {})  # `Allow`, of a 405
        return answer

    @app.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> Response:
        return error_response(_of_validation(request, error))

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception) -> Response:
        """Logged where all requests pass; the answer tells nothing of the inside."""
        return error_response(ClientError("The server failed.", code="internal_error", type="server_error"))


def _of_framework(error: HTTPException) -> ClientError:
    if isinstance(error.__cause__, ClientError):  # FastAPI's answer to any error of reading a body
        return error.__cause__
    match error.status_code:
        case 404:
            return ClientError("There is nothing under this path.", code="not_found")
        case 405:
            return ClientError("This path does not know this method.", code="method_not_allowed")
        case 413:
            return ClientError("The body is too large.", code="request_too_large")
        case _:
            return ClientError(str(error.detail), code="invalid_request")


def _of_validation(request: Request, error: RequestValidationError) -> ClientError:
    """The first thing that is wrong, with its path as OpenAI writes it: ``messages[0].content``."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return ClientError(f"The body is not JSON: {first['ctx']['error']}.", code="invalid_json")
    if first["loc"] == ("body",) and not _is_json(request) and request.headers.get("content-length") != "0":
        return ClientError("The body must be application/json.", code="unsupported_content_type")
    param = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"][1:]).removeprefix(".")
    if first["type"] == "missing":
        return ClientError(f"'{param or 'body'}' is missing.", code="missing_required_parameter", param=param or None)
    return ClientError(f"Invalid '{param or 'body'}': {first['msg']}.", param=param or None)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
