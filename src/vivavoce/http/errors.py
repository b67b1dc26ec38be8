"""The documented error object as an HTTP answer (platform reference, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse

from vivavoce.errors import ClientError, RateLimitError

STATUS_OF_CODE = {
    "invalid_api_key": 401,
    "forbidden": 403,
    "insufficient_scope": 403,
    "file_not_found": 404,
    "model_not_found": 404,
    "session_not_found": 404,
    "session_not_resumable": 410,
    "request_too_large": 413,
    "rate_limit_exceeded": 429,
    "server_loading": 503,
}
"""Error code → HTTP status; every other mistake of the client's is a 400."""

LOADING_RETRY_S = 5


def error_response(error: ClientError) -> JSONResponse:
    """Status, headers and body of an error."""
    body = {"error": {"message": error.message, "type": error.type, "code": error.code, "param": error.param}}
    headers: dict[str, str] = {}
    if isinstance(error, RateLimitError):
        headers["Retry-After"] = str(error.retry_after_s)
    elif error.code == "server_loading":
        headers["Retry-After"] = str(LOADING_RETRY_S)
    if error.code == "invalid_api_key":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=STATUS_OF_CODE.get(error.code, 400), headers=headers)


class ReportingRoute(APIRoute):
    """A route that answers a ``ClientError`` with its error object, also one raised by a dependency.

    ``APIRouter(route_class=ReportingRoute)`` gives it to every route of a router.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI makes, with the errors answered."""
        handle = super().get_route_handler()

        async def report(request: Request) -> Response:
            try:
                return await handle(request)
            except ClientError as error:
                return error_response(error)

        return report
