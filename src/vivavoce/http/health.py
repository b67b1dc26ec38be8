"""``GET /health``: 200 once the server can talk, 503 while it loads."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from vivavoce import __version__
from vivavoce.http.serving import Serving

router = APIRouter()

SERVER_NAME = "vivavoce"
"""By this a client tells the server from another that happens to listen."""

Readiness: TypeAlias = Literal["ok", "loading", "failed"]


def readiness(serving: Serving) -> Readiness:
    """Whether the server can talk."""
    if serving.loaded is not None:
        return "ok"
    return "failed" if serving.failure else "loading"


@router.get("/health")
@router.head("/health", include_in_schema=False)
async def health(request: Request) -> JSONResponse:
    """Readiness; and for who has a key, where there are keys: the version, and how many of the places are taken."""
    serving: Serving = request.app.state.serving
    status = readiness(serving)
    body: dict[str, Any] = {"name": SERVER_NAME, "status": status}
    if await serving.auth.knows(request):
        body["version"] = __version__
        body["sessions"] = {"live": serving.seats.taken, "capacity": serving.seats.capacity}
    return JSONResponse(body, status_code=200 if status == "ok" else 503)
