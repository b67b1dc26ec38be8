"""The server as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from vivavoce import __version__
from vivavoce.config import Config
from vivavoce.errors import VivavoceError
from vivavoce.http import (
    api_page,
    chat,
    embeddings,
    files,
    front_page,
    health,
    models,
    realtime,
    responses,
    search,
    speech,
    stateless,
    tokens,
    transcriptions,
    vector_stores,
    voices,
)
from vivavoce.http.admission import Admission
from vivavoce.http.cors import cross_origin
from vivavoce.http.errors import ERROR_RESPONSES, answer_errors
from vivavoce.http.housekeeping import start_housekeeping
from vivavoce.http.incoming import IncomingBodies
from vivavoce.http.ongoing import Draining
from vivavoce.http.paths import PlainPaths
from vivavoce.http.readiness import Readiness
from vivavoce.http.serving import Serving
from vivavoce.http.tracing import Traced
from vivavoce.preflight import require_references
from vivavoce.runtime.engines import load_engines
from vivavoce.store.quota import Quota
from vivavoce.store.store import open_store
from vivavoce.supervision import is_cancelled
from vivavoce.tools.relevance import relevance_of

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 256 * 1024
"""Of a request's body, where its route does not say otherwise (``max_body_size``)."""


class Application(FastAPI):
    """FastAPI with a trace around everything it does, the answers to its own errors included."""

    def build_middleware_stack(self) -> ASGIApp:
        """The layers every request passes."""
        serving: Serving = self.state.serving
        admitted = Admission(super().build_middleware_stack(), serving.auth)
        draining = Draining(admitted, serving.ongoing)
        traced = Traced(PlainPaths(IncomingBodies(draining, serving.bodies)))
        return cross_origin(traced, self.state.serving.config.http.cors_origins)


def end_process() -> None:
    """As whoever started this process would end it: whatever server it is then closes everything."""
    signal.raise_signal(signal.SIGTERM)


def create_app(config: Config, *, on_failure: Callable[[], None] = end_process) -> FastAPI:
    """The application. It listens at once and answers 503 until the engines are loaded.

    If the start fails it says why and calls ``on_failure``, which ends the process: one that answers 503 for ever is noticed by
    nobody, one that is gone is started again.
    """
    serving = Serving(config)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serving.closing, serving.calls:
            starting = asyncio.create_task(_start(serving, on_failure))
            try:
                yield
            finally:
                starting.cancel()
                await asyncio.wait([starting])

    app = Application(
        title="Vivavoce",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=MOST_BODY_BYTES,
        responses=ERROR_RESPONSES,
    )
    answer_errors(app)
    app.state.serving = serving
    app.state.readiness = Readiness(serving)
    app.include_router(front_page.router)
    if config.http.docs:
        app.include_router(api_page.router)
    app.include_router(health.router)
    app.include_router(realtime.router)
    app.include_router(stateless.router)
    app.include_router(files.router)
    app.include_router(models.router)
    app.include_router(tokens.router)
    app.include_router(chat.router)
    app.include_router(responses.router)
    app.include_router(embeddings.router)
    app.include_router(speech.router)
    app.include_router(search.router)
    app.include_router(vector_stores.router)
    app.include_router(transcriptions.router)
    app.include_router(voices.router)
    return app


async def _start(serving: Serving, on_failure: Callable[[], None]) -> None:
    """Load everything, or say why that cannot be done. Nothing is left half started: whatever is raised is a failure."""
    try:
        await _load(serving)
    except BaseException as error:
        if is_cancelled():
            raise
        expected = isinstance(error, VivavoceError)
        log.error("%s", error if expected else "the server cannot start", exc_info=None if expected else error)
        serving.failure = str(error) if expected else "The server failed to start. Its log says why."
        on_failure()
    else:
        log.info("ready: %d conversations at once", serving.seats.capacity)


async def _load(serving: Serving) -> None:
    await asyncio.to_thread(require_references, serving.config)  # it imports the engines
    serving.tools.load_plugins()
    serving.opened = serving.closing.add(await open_store(serving.config, Quota(serving.most_bytes)))
    serving.owners.created(await serving.keys.owners())
    engines = serving.closing.add(await load_engines(serving.config))
    await serving.open_library(engines.embedder)
    serving.tools.relevance = relevance_of(engines.embedder, serving.config.tools.relevance)
    serving.closing.add(serving.voices).open(serving.opened, engines)
    await serving.open_recordings(engines)
    start_housekeeping(serving)
    serving.loaded = engines
