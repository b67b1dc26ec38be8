"""Answers that are streams of server-sent events (WHATWG HTML, section 9.2), shared by the routes that have them.

What goes wrong before anything was sent is answered with its HTTP status, as for any other request; later it becomes the
stream's last event. While there is nothing to send, comments keep proxies from hanging up. A client that hangs up, or stops
reading, ends the work. A server that goes down ends it, too, with an event that says so.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vivavoce.errors import ClientError, EngineError, StoreError
from vivavoce.http.disconnects import cancel_and_wait, wait_for_disconnect, while_connected
from vivavoce.http.ongoing import ongoing_request
from vivavoce.waiting import first_of

log = logging.getLogger(__name__)

FIRST_EVENT_TIMEOUT_S = 5.0
"""How long the answer's status waits for the first event: an error by then has a status of its own."""

KEEP_ALIVE_S = 10.0
KEEP_ALIVE = ": keep-alive\n\n"

STALLED_S = 60.0
"""A client that reads nothing for so long is gone."""

EVENTS_AHEAD = 16
"""Events made but not sent; beyond that the work waits."""

SendEvent: TypeAlias = Callable[[str], Awaitable[None]]
Work: TypeAlias = Callable[[SendEvent], Awaitable[None]]
"""Makes the events, and calls what it is given with each. It may raise ``ClientError``, ``EngineError`` and ``StoreError``."""


def event(data: Any, *, name: str | None = None) -> str:
    """One event; ``data`` is written as JSON."""
    named = f"event: {name}\n" if name else ""
    return f"{named}data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


def error_event(error: ClientError) -> str:
    """The documented error object as an event."""
    return event({"error": error.body})


async def event_stream(request: Request, work: Work, *, failed: Callable[[ClientError], str] = error_event) -> Response:
    """Begin ``work`` and answer with its events; ``failed`` writes the event of a late error.

    Raises what ``work`` raises before its first event, if that is within ``FIRST_EVENT_TIMEOUT_S``; and ``ClientDisconnect``.
    The body of ``request`` must have been read.
    """
    stream = _EventStream(work, failed)
    await stream.begin(request.receive)
    ongoing = ongoing_request(request)
    if ongoing is not None:
        ongoing.end_with(stream.stop)
    return stream


class _EventStream(Response):
    """Sends what its work makes. The work is one task, which is over when ``begin`` fails or the response ends."""

    media_type = "text/event-stream"

    def __init__(self, work: Work, failed: Callable[[ClientError], str]) -> None:
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._failed = failed
        self._stopped: ClientError | None = None
        self._answering = asyncio.Event()
        self._events: asyncio.Queue[str | None] = asyncio.Queue(EVENTS_AHEAD)
        self._working = asyncio.ensure_future(self._run(work))

    async def begin(self, receive: Receive) -> None:
        """Until there is something to answer with, or patience is at its end."""
        worked = asyncio.wait([self._working])  # which may be waited for without ending it
        try:
            going, *_ = await first_of(
                wait_for_disconnect(receive), self._answering.wait(), worked, within_s=FIRST_EVENT_TIMEOUT_S
            )
            self._answering.set()
            if self._working.done():
                self._working.result()
            elif not going.cancelled():
                raise ClientDisconnect
        except BaseException:
            await cancel_and_wait(self._working)
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or as much as the client stays for."""
        try:
            await while_connected(receive, self._send(send))
        except ClientDisconnect:
            log.debug("the client is gone")
        except TimeoutError:
            log.warning("a client stopped reading its events")
        finally:
            await cancel_and_wait(self._working)

    def stop(self, reason: ClientError) -> None:
        """End the work early, which the last event says."""
        self._stopped = reason
        self._working.cancel()

    async def _run(self, work: Work) -> None:
        try:
            await work(self._emit)
        except asyncio.CancelledError:
            if self._stopped is None:
                raise
            await self._events.put(self._failed(self._stopped))
        except (ClientError, EngineError, StoreError) as error:
            if not self._answering.is_set():
                raise
            await self._events.put(self._failed(_client_error(error)))
        except Exception:
            if not self._answering.is_set():
                raise
            log.exception("a stream of events failed")
            await self._events.put(self._failed(_client_error(EngineError("server", "internal error"))))
        await self._events.put(None)

    async def _emit(self, text: str) -> None:
        self._answering.set()
        await self._events.put(text)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while (text := await self._next()) is not None:
            async with asyncio.timeout(STALLED_S):
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> str | None:
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                return await self._events.get()
        except TimeoutError:
            return KEEP_ALIVE


def _client_error(error: ClientError | EngineError | StoreError) -> ClientError:
    """An engine's or the store's failure in the client's vocabulary."""
    if isinstance(error, ClientError):
        return error
    if isinstance(error, StoreError):
        return error.client_error()
    return ClientError(str(error), code="engine_error", type="server_error")
