"""``GET /health``: 200 once the server can talk, 503 while it loads."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from vivavoce import __version__
from vivavoce.http.serving import Serving

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """Readiness, and how many of the places are taken."""
    serving: Serving = request.app.state.serving
    ready = serving.loaded is not None
    body = {
        "status": "ok" if ready else "failed" if serving.failure else "loading",
        "version": __version__,
        "sessions": {"live": serving.seats.taken, "capacity": serving.seats.capacity},
    }
    return JSONResponse(body, status_code=200 if ready else 503)
