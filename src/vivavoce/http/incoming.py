"""The bodies of requests while they arrive: how slowly they may come, how much of them may wait in memory, and what becomes
of one that nobody wants to read.

How large a body may be is said by its route (``max_body_size``), and is enforced by the framework.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivavoce.errors import ClientError, ShareError
from vivavoce.http.auth import owner_of
from vivavoce.runtime.shares import FairShares

GRACE_S = 10.0
MIN_BYTES_PER_S = 8 * 1024
MAX_S = 600.0
"""A body may keep the server waiting for ``GRACE_S``, and for a second more with every ``MIN_BYTES_PER_S`` that have come,
``MAX_S`` in all."""

LINGER_S = 5.0
LINGER_BYTES = 64 * 1024 * 1024
"""So much of a refused body still goes to nowhere: most clients read an answer only when they have sent all, and lose it when
the connection is closed in their face."""

_STATE = "body"


class BodyLimitMiddleware:
    """A layer around all routes. ``memory`` is what the bodies of all requests may take of the memory at once, in bytes."""

    def __init__(self, app: ASGIApp, memory: FairShares) -> None:
        self._app = app
        self._memory = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = IncomingBody(scope, receive, send, self._memory)
        scope.setdefault("state", {})[_STATE] = body
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            body.finish()


class IncomingBody:
    """One body on its way."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, memory: FairShares) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._memory = memory
        self._owner = ""
        self._reserved = 0
        self._most_held: int | None = None
        headers = Headers(scope=scope)
        self._complete = "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
        self._received = 0
        self._waited_s = 0.0

    def goes_to_disk(self, beyond: int) -> None:
        """Whoever reads it keeps no more than so many bytes of it in memory."""
        self._most_held = beyond

    async def receive(self) -> Message:
        """The next piece. Raises ``ClientError`` when it comes too slowly, and when too much waits in memory."""
        if self._complete:
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._patience_s()):
                message = await self._receive()
        except TimeoutError as error:
            raise ClientError("The body came too slowly.", code="request_timeout", type="timeout_error") from error
        finally:
            self._waited_s += loop.time() - began
        self._complete = not message.get("more_body", False)
        self._take(len(message.get("body", b"")))
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer. The connection is closed behind it if the body was not read."""
        if not self._complete:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            elif not message.get("more_body", False):
                await self._send({**message, "more_body": True})
                await self._linger()
                message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def finish(self) -> None:
        """The request has been answered."""
        if self._reserved:
            self._memory.give_back(self._owner, self._reserved)
            self._reserved = 0

    def _patience_s(self) -> float:
        return max(min(GRACE_S + self._received / MIN_BYTES_PER_S, MAX_S) - self._waited_s, 0.0)

    def _take(self, count: int) -> None:
        self._received += count
        reserved = self._received if self._most_held is None else min(self._received, self._most_held)
        more = reserved - self._reserved
        if more <= 0:
            return
        self._owner = self._owner or owner_of(self._scope)
        if self._memory.full(more):
            raise ClientError(
                "Too much is being sent to this server at the moment; try again.",
                code="server_busy",
                type="server_error",
            )
        if not self._memory.fits(self._owner, more):
            raise ShareError("bytes of requests", self._memory.held(self._owner), self._memory.capacity)
        self._memory.take(self._owner, more)
        self._reserved = reserved

    async def _linger(self) -> None:
        remaining = LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while remaining > 0:
                    message = await self._receive()
                    remaining -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


def incoming_body(request: Request) -> IncomingBody:
    """The body of this request on its way."""
    body: IncomingBody = request.scope["state"][_STATE]
    return body
