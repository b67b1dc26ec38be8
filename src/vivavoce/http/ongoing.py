"""The requests that are being answered, so that a server that is told to stop lets them come to their end.

Conversations are drained by ``ConnectionRegistry``; this is for everything else: answers that are streams, answers that take
long, and sockets that speak. Meanwhile nothing new is begun. When the time is over, a stream of events says so in its last
event, a request without an answer yet gets 503, and sound breaks off, because within sound there is no way to say it
(``audio_stream``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivavoce.errors import ClientError
from vivavoce.http.errors import error_response, refuse
from vivavoce.runtime.connections import HANG_UP_S

log = logging.getLogger(__name__)

STATUS_PATHS = frozenset({"/", "/health", "/livez", "/readyz", "/metrics"})
"""What is answered to the last: how the server is."""

_STATE = "ongoing"


def server_stopping() -> ClientError:
    """The refusal of what a server that goes down does not begin, or does not finish."""
    return ClientError("The server is going down; try again.", code="server_stopping", type="server_error")


class OngoingRequest:
    """One request."""

    def __init__(self, time: asyncio.Timeout) -> None:
        self._time = time
        self._stop: Callable[[ClientError], None] | None = None

    def end_with(self, stop: Callable[[ClientError], None]) -> None:
        """Its answer can say itself, by ``stop``, that it ends early."""
        self._stop = stop

    def end(self) -> None:
        """Its time is over."""
        if self._stop is not None:
            self._stop(server_stopping())
        else:
            self.cut_off()

    def cut_off(self) -> None:
        """End it without a word."""
        self._time.reschedule(asyncio.get_running_loop().time())


class OngoingRequests:
    """All of them. ``draining`` is set when nothing more is begun, ``stopping`` when the time of the others is over."""

    def __init__(self) -> None:
        self.draining = asyncio.Event()
        self.stopping = asyncio.Event()
        self._requests: set[OngoingRequest] = set()
        self._sockets = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def request(self, time: asyncio.Timeout) -> Iterator[OngoingRequest]:
        """One more for the length of a block, which ends when ``time`` is rescheduled."""
        request = OngoingRequest(time)
        self._requests.add(request)
        self._idle.clear()
        try:
            yield request
        finally:
            self._requests.discard(request)
            self._settle()

    @contextmanager
    def socket(self) -> Iterator[None]:
        """A socket for the length of a block, which looks at ``draining`` and ``stopping`` itself."""
        self._sockets += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._sockets -= 1
            self._settle()

    async def drain(self, within_s: float) -> None:
        """Begin nothing more; returns when all are over, which is a little after ``within_s`` at the latest."""
        self.draining.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()
                return
        log.warning("%d requests were not answered after %g s", len(self._requests) + self._sockets, within_s)
        self.stopping.set()
        for request in tuple(self._requests):
            request.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                await self._idle.wait()
        for request in tuple(self._requests):
            request.cut_off()

    def _settle(self) -> None:
        if not self._requests and not self._sockets:
            self._idle.set()


def ongoing_request(connection: HTTPConnection) -> OngoingRequest | None:
    """The request that is being answered; ``None`` outside of a server."""
    request: OngoingRequest | None = connection.scope.get("state", {}).get(_STATE)
    return request


class DrainingMiddleware:
    """The layer that keeps account of the requests, and begins none while the server is draining."""

    def __init__(self, app: ASGIApp, ongoing: OngoingRequests) -> None:
        self._app = app
        self._ongoing = ongoing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in STATUS_PATHS:
            await self._app(scope, receive, send)
        elif self._ongoing.draining.is_set():
            await _refuse(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response_started = False
        try:
            async with asyncio.timeout(None) as time:
                with self._ongoing.request(time) as request:

                    async def send_noted(message: Message) -> None:
                        nonlocal response_started
                        response_started = True
                        await send(message)

                    scope.setdefault("state", {})[_STATE] = request
                    await self._app(scope, receive, send_noted)
        except TimeoutError:
            if not time.expired():
                raise
            if response_started:
                log.warning("an answer was cut off")
            else:
                await _refuse(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await refuse(server_stopping(), scope, receive, send)
    else:
        answer = error_response(server_stopping())
        answer.headers["Connection"] = "close"  # the next one goes elsewhere
        await answer(scope, receive, send)
