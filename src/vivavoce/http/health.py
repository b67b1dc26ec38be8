"""How a server is: for people (``/health``), for what restarts it (``/livez``), for what sends it clients (``/readyz``), and
for what watches it (``/metrics``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse

from vivavoce import __version__
from vivavoce.http.readiness import Check, Readiness
from vivavoce.http.serving import Serving

router = APIRouter()

SERVER_NAME = "vivavoce"
"""By this a client tells the server from another that happens to listen."""

Health: TypeAlias = Literal["ok", "loading", "failed"]


def health_of(serving: Serving) -> Health:
    """Whether the server can talk."""
    if serving.loaded is not None:
        return "ok"
    return "failed" if serving.failure else "loading"


@router.get("/health")
@router.head("/health", include_in_schema=False)
async def health(request: Request) -> JSONResponse:
    """Readiness; and for who has a key, where there are keys: the version, and how many of the places are taken."""
    serving: Serving = request.app.state.serving
    status = health_of(serving)
    body: dict[str, Any] = {"name": SERVER_NAME, "status": status}
    if await serving.auth.knows(request):
        body["version"] = __version__
        body["sessions"] = {"live": serving.seats.taken, "capacity": serving.seats.capacity}
    return JSONResponse(body, status_code=200 if status == "ok" else 503)


@router.get("/livez")
@router.head("/livez", include_in_schema=False)
async def livez() -> JSONResponse:
    """Always 200: the event loop turns. A process that does not answer is to be started again."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
@router.head("/readyz", include_in_schema=False)
async def readyz(request: Request) -> JSONResponse:
    """Whether clients are to be sent here: 200, or 503 and which check fails for what reason."""
    checked: Readiness = request.app.state.readiness
    checks = await checked.checks()
    ready = all(check.ok for check in checks)
    body = {
        "status": "ready" if ready else "not_ready",
        "checks": {check.name: {"ok": check.ok, "reason": check.reason} for check in checks},
    }
    return JSONResponse(body, status_code=200 if ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Gauges and counters in Prometheus' text format; with a key, where there are any, also how busy the server is."""
    serving: Serving = request.app.state.serving
    checked: Readiness = request.app.state.readiness
    lines = [
        *_family("vivavoce_ready", "check", "Whether a check of /readyz passes.", _ready(await checked.checks())),
        *_family("vivavoce_worker_up", "worker", "Whether a background worker is at work.", _workers_up(serving)),
        *_family(
            "vivavoce_worker_failures_total",
            "worker",
            "Steps of a background worker that failed.",
            {worker.name: worker.failures for worker in serving.supervisor.workers},
        ),
    ]
    if await serving.auth.knows(request):
        kinds = {"conversations": serving.seats, "requests": serving.requests}
        taken = {kind: seats.taken for kind, seats in kinds.items()}
        lines += _family("vivavoce_places_taken", "kind", "Places that are taken.", taken)
        capacity = {kind: seats.capacity for kind, seats in kinds.items()}
        lines += _family("vivavoce_places", "kind", "Places there are.", capacity)
    return PlainTextResponse("\n".join(lines) + "\n", media_type=_PROMETHEUS)


_PROMETHEUS = "text/plain; version=0.0.4"


def _ready(checks: tuple[Check, ...]) -> dict[str, int]:
    return {check.name: int(check.ok) for check in checks}


def _workers_up(serving: Serving) -> dict[str, int]:
    return {worker.name: int(worker.up) for worker in serving.supervisor.workers}


def _family(name: str, label: str, said: str, values: Mapping[str, int]) -> list[str]:
    """One metric: its description, and a sample for each value of its label."""
    return [
        f"# HELP {name} {said}",
        f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}",
        *(f'{name}{{{label}="{one}"}} {value}' for one, value in values.items()),
    ]
