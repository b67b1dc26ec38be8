"""How a server is: for people (``/health``), for what restarts it (``/livez``), for what sends it clients (``/readyz``), and
for what watches it (``/metrics``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, TypeAlias, assert_never

import psutil
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse

from vivavoce import __version__
from vivavoce.http.core import AppState
from vivavoce.http.lifecycle import Failed, Loading, Ready, Stage, app_state_of, lifecycle_of
from vivavoce.http.readiness import Check, Readiness
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.fallback import FallbackModel, FallbackRecognizer

router = APIRouter()

SERVER_NAME = "vivavoce"
"""By this a client tells the server from another that happens to listen."""

Health: TypeAlias = Literal["ok", "loading", "failed"]


def health_of(stage: Stage) -> Health:
    """Whether the server can talk."""
    match stage:
        case Ready():
            return "ok"
        case Failed():
            return "failed"
        case Loading():
            return "loading"
        case _:
            assert_never(stage)


@router.get("/health")
@router.head("/health", include_in_schema=False)
async def health(request: Request) -> JSONResponse:
    """Readiness; and for who has a key, where there are keys: the version, and how many of the places are taken."""
    state = app_state_of(request)
    status = health_of(lifecycle_of(request).stage)
    body: dict[str, Any] = {"name": SERVER_NAME, "status": status}
    if await state.auth.knows(request):
        body["version"] = __version__
        body["sessions"] = {"live": state.conversation_slots.taken, "capacity": state.conversation_slots.capacity}
    return JSONResponse(body, status_code=200 if status == "ok" else 503)


@router.get("/livez")
@router.head("/livez", include_in_schema=False)
async def livez() -> JSONResponse:
    """Always 200: the event loop turns. A process that does not answer is to be started again."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
@router.head("/readyz", include_in_schema=False)
async def readyz(request: Request) -> JSONResponse:
    """Whether clients are to be sent here: 200, or 503 and which check fails for what reason. ``degraded`` (200): an engine
    that runs elsewhere is away, and what needs it fails or falls back."""
    checked: Readiness = request.app.state.readiness
    checks = await checked.checks()
    ready = all(check.ok for check in checks if check.required)
    body = {
        "status": ("ready" if all(check.ok for check in checks) else "degraded") if ready else "not_ready",
        "checks": {check.name: {"ok": check.ok, "reason": check.reason} for check in checks},
    }
    return JSONResponse(body, status_code=200 if ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Gauges and counters in Prometheus' text format; with a key, where there are any, also how busy the server is."""
    state = app_state_of(request)
    checked: Readiness = request.app.state.readiness
    lines = [
        *_family("vivavoce_ready", "check", "Whether a check of /readyz passes.", _ready(await checked.checks())),
        *_fallbacks(lifecycle_of(request).engines),
        *_family("vivavoce_worker_up", "worker", "Whether a background worker is at work.", _workers_up(state)),
        *_family(
            "vivavoce_worker_failures_total",
            "worker",
            "Steps of a background worker that failed.",
            {worker.name: worker.failures for worker in state.supervisor.workers},
        ),
    ]
    if await state.auth.knows(request):
        kinds = {"conversations": state.conversation_slots, "requests": state.request_slots}
        taken = {kind: slots.taken for kind, slots in kinds.items()}
        lines += _family("vivavoce_places_taken", "kind", "Places that are taken.", taken)
        capacity = {kind: slots.capacity for kind, slots in kinds.items()}
        lines += _family("vivavoce_places", "kind", "Places there are.", capacity)
        if (engines := lifecycle_of(request).engines) is not None:
            counts = asdict(engines.preparations.counts)
            lines += _family("vivavoce_preparations_total", "outcome", _PREPARATIONS, counts)
            lines += _queues(engines)
        lines += _process()
    return PlainTextResponse("\n".join(lines) + "\n", media_type=_PROMETHEUS)


def _queues(engines: Engines) -> list[str]:
    """What waits for the engine that does one thing at a time."""
    waiting = {"recogniser": engines.recognition.waiting}
    return _family("vivavoce_waiting", "queue", "Pieces of work that wait for their turn.", waiting)


def _process() -> list[str]:
    """What the process takes, under the names Prometheus' own clients use; its children (readers, clones) not included."""
    process = psutil.Process()
    cpu = process.cpu_times()
    return [
        "# HELP process_resident_memory_bytes Memory of the process in use.",
        "# TYPE process_resident_memory_bytes gauge",
        f"process_resident_memory_bytes {process.memory_info().rss}",
        "# HELP process_cpu_seconds_total Time of computing.",
        "# TYPE process_cpu_seconds_total counter",
        f"process_cpu_seconds_total {cpu.user + cpu.system:.2f}",
    ]


_PROMETHEUS = "text/plain; version=0.0.4"
_PREPARATIONS = "Replies prepared before the turn of the user was over, by what became of them."


def _ready(checks: tuple[Check, ...]) -> dict[str, int]:
    return {check.name: int(check.ok) for check in checks}


def _fallbacks(engines: Engines | None) -> list[str]:
    """How often another engine took the place of one that was away, by the one that was."""
    kinds: dict[str, dict[str, int]] = {"language_model": {}, "recognizer": {}, "speaker": {}}
    if engines is not None:
        models, tiers = engines.language_models.values(), engines.tiers.values()
        hearing = [engines.recognition, *(tier.recognition for tier in tiers)]
        recognizers = [one for recognition in hearing for one in recognition.recognizers]
        kinds["language_model"] = {one.name: one.fallbacks for one in models if isinstance(one, FallbackModel)}
        kinds["recognizer"] = {one.name: one.fallbacks for one in recognizers if isinstance(one, FallbackRecognizer)}
        spoken: Counter[str] = Counter()
        for router in dict.fromkeys([engines.synthesizer, *(tier.synthesizer for tier in tiers)]):
            spoken.update(router.fallbacks)
        kinds["speaker"] = spoken
    name = "vivavoce_fallbacks_total"
    lines = _family(name, "language_model", "Replies, utterances and clauses another engine took over.", {})
    return lines + [
        f'{name}{{{kind}="{engine}"}} {count}' for kind, counts in kinds.items() for engine, count in counts.items()
    ]


def _workers_up(state: AppState) -> dict[str, int]:
    return {worker.name: int(worker.up) for worker in state.supervisor.workers}


def _family(name: str, label: str, help_text: str, values: Mapping[str, int]) -> list[str]:
    """One metric: its description, and a sample for each value of its label."""
    return [
        f"# HELP {name} {help_text}",
        f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}",
        *(f'{name}{{{label}="{label_value}"}} {value}' for label_value, value in values.items()),
    ]
