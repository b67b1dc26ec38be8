"""A trace id for every request, in its answer and in the log (platform reference, section 1).

A client may send its own as ``X-Trace-Id``; what it finds in the answer, it can quote to whoever runs the server.
"""

from __future__ import annotations

import logging
import re
import secrets
from contextlib import suppress
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from vivavoce.errors import ClientError
from vivavoce.http.errors import error_response

log = logging.getLogger(__name__)

HEADER = "X-Trace-Id"
_SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
"""What may be echoed and logged as it is."""

_BEGIN = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

_current: ContextVar[str] = ContextVar("trace_id", default="-")


def trace_id() -> str:
    """The trace id of the request being answered; ``-`` outside of one."""
    return _current.get()


class Traced:
    """The outermost layer: names every request, and logs what fails in it under that name.

    An error nobody caught ends here; its client has had a 500. And the answers the framework gives in its own words are
    put into the documented shape: to a body that is too large and was not even read, and to a WebSocket of a path that
    is not there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        offered = Headers(scope=scope).get(HEADER, "")
        trace = offered if _SANE.fullmatch(offered) else secrets.token_hex(16)
        token = _current.set(trace)
        sending = _Sending(scope, receive, send, trace)
        try:
            await self._app(scope, receive, sending)
        except (ClientDisconnect, ClientDisconnected):
            log.debug("trace %s: the client has gone", trace)
        except Exception:
            log.exception("trace %s: %s %s failed", trace, scope.get("method", "WebSocket"), scope["path"])
            if not sending.begun:  # a WebSocket; the framework answers HTTP requests itself
                with suppress(ClientDisconnected):
                    await sending.refuse("The server failed.", "internal_error")
        finally:
            _current.reset(token)


class _Sending:
    """Puts the trace id on the first message of an answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, trace: str) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._trace = trace
        self.begun = False
        self._refused = False

    async def __call__(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "websocket.close" and not self.begun:
            await self.refuse("There is nothing under this path.", "not_found")
            return
        if message["type"] in _BEGIN:
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            if message.get("status") == 413 and headers.get("content-type", "").startswith("text/plain"):
                await self.refuse("The body is too large.", "request_too_large")
                return
            self.begun = True
            headers[HEADER] = self._trace
            message["headers"] = headers.raw
        await self._send(message)

    async def refuse(self, message: str, code: str) -> None:
        """Answer with this error, and with nothing that comes after it."""
        self._refused = True
        refusal = error_response(ClientError(message, code=code))
        refusal.headers[HEADER] = self._trace
        await refusal(self._scope, self._receive, self._send)
