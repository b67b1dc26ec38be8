"""The server as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from vivavoce import __version__
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.errors import VivavoceError
from vivavoce.http import api_page, console, front_page, health
from vivavoce.http.admission import AdmissionMiddleware
from vivavoce.http.core import AppState, most_bytes, new_app_state, new_core
from vivavoce.http.cors import cross_origin
from vivavoce.http.errors import ERROR_RESPONSES, answer_errors
from vivavoce.http.incoming import BodyLimitMiddleware
from vivavoce.http.lifecycle import Lifecycle
from vivavoce.http.ongoing import DrainingMiddleware
from vivavoce.http.paths import PathMiddleware
from vivavoce.http.readiness import Readiness
from vivavoce.http.server_logs import install_log_filters
from vivavoce.http.services.base import Service, load_services
from vivavoce.http.tracing import TracingMiddleware
from vivavoce.preflight import require_references
from vivavoce.runtime.engines import load_engines
from vivavoce.store.keys import Keys
from vivavoce.store.quota import Quota
from vivavoce.store.store import open_store
from vivavoce.supervision import is_cancelled

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""Of a request's body, where its route does not say otherwise (``max_body_size``)."""


class Application(FastAPI):
    """FastAPI with a trace around everything it does, the answers to its own errors included."""

    def build_middleware_stack(self) -> ASGIApp:
        """The layers every request passes."""
        state: AppState = self.state.app_state
        admitted = AdmissionMiddleware(super().build_middleware_stack(), state.auth)
        draining = DrainingMiddleware(admitted, state.ongoing)
        traced = TracingMiddleware(PathMiddleware(BodyLimitMiddleware(draining, state.body_memory)))
        return cross_origin(traced, state.config.http.cors_origins)


def end_process() -> None:
    """As whoever started this process would end it: whatever server it is then closes everything."""
    signal.raise_signal(signal.SIGTERM)


def create_app(config: Config, *, on_failure: Callable[[], None] = end_process) -> FastAPI:
    """The application. It listens at once and answers 503 until the engines are loaded.

    If the start fails it says why and calls ``on_failure``, which ends the process: one that answers 503 for ever is noticed by
    nobody, one that is gone is started again.
    """
    install_log_filters()
    stack, lifecycle, services = CloseStack(), Lifecycle(), load_services()
    state = new_app_state(config, lambda: lifecycle.keys, stack)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with stack, state.connections:
            starting = asyncio.create_task(_start(state, lifecycle, services, stack, on_failure))
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
        max_body_size=MAX_BODY_BYTES,
        responses=ERROR_RESPONSES,
    )
    answer_errors(app)
    app.state.app_state = state
    app.state.lifecycle = lifecycle
    app.state.readiness = Readiness(state, lifecycle)
    app.include_router(console.router if config.http.console and console.console_files() else front_page.router)
    if config.http.docs:
        app.include_router(api_page.router)
    app.include_router(health.router)
    for service in services.values():
        app.include_router(service.router)
    return app


async def _start(
    state: AppState,
    lifecycle: Lifecycle,
    services: Mapping[str, Service],
    stack: CloseStack,
    on_failure: Callable[[], None],
) -> None:
    """Load everything, or say why that cannot be done. Nothing is left half started: whatever is raised is a failure."""
    try:
        await _load(state, lifecycle, services, stack)
    except BaseException as error:
        if is_cancelled():
            raise
        expected = isinstance(error, VivavoceError)
        log.error("%s", error if expected else "the server cannot start", exc_info=None if expected else error)
        lifecycle.failed(str(error) if expected else "The server failed to start. Its log says why.")
        on_failure()
    else:
        log.info("ready: %d conversations at once", state.conversation_slots.capacity)


async def _load(state: AppState, lifecycle: Lifecycle, services: Mapping[str, Service], stack: CloseStack) -> None:
    config, owners = state.config, state.owners
    await asyncio.to_thread(require_references, config)  # it imports the engines
    store = stack.add(await open_store(config, Quota(partial(most_bytes, config, owners))))
    keys = Keys(store.database)
    lifecycle.store_opened(store, keys)
    owners.created(await keys.owners())
    engines = stack.add(await load_engines(config))
    core = new_core(state, store, keys, engines, stack)
    for name, service in services.items():
        stack.call(f"the service {name}", service.close)
        await service.open(core)
    lifecycle.ready(core)
