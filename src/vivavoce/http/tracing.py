"""A trace id for every request, in its answer and in the log (platform reference, section 1).

A client may send its own as ``X-Trace-Id``; what it finds in the answer, it can quote to whoever runs the server.
"""

from __future__ import annotations

import logging
import re
import secrets
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from vivavoce.errors import ClientError, StoreError
from vivavoce.http.errors import error_response
from vivavoce.http.server_logs import one_line
from vivavoce.http.trace import Trace, current_trace

log = logging.getLogger(__name__)

HEADER = "X-Trace-Id"
_VALID_TRACE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
"""What may be echoed and logged as it is."""

_RESPONSE_START = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

_READINESS_PATH = "/readyz"
"""What it answers is no refusal, and whoever watches a server asks every second."""

_WARNED_STATUSES = frozenset({401, 403, 429})
"""Refusals that tell an operator something, as those of the server's own making (5xx) do."""


class TracingMiddleware:
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
        trace = Trace(offered if _VALID_TRACE_ID.fullmatch(offered) else secrets.token_hex(16))
        token = current_trace.set(trace)
        sending = _Sending(scope, receive, send, trace)
        try:
            await self._app(scope, receive, sending)
        except (ClientDisconnect, ClientDisconnected):
            log.debug("trace %s: the client has gone", trace.id)
        except StoreError as error:  # on the way to a WebSocket, or before a route was found
            log.error("trace %s: %s", trace.id, error)
            if not sending.response_started:
                with suppress(ClientDisconnected):
                    await sending.refuse(error.client_error())
        except Exception:
            log.exception("trace %s: %s failed", trace.id, _request_line(scope))
            if not sending.response_started:  # a WebSocket; the framework answers HTTP requests itself
                with suppress(ClientDisconnected):
                    await sending.refuse(ClientError("The server failed.", code="internal_error"))
        finally:
            current_trace.reset(token)


class _Sending:
    """Puts the trace id on the first message of an answer, and logs why a request is refused."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, trace: Trace) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._trace = trace
        self.response_started = False
        self._refused = False

    async def __call__(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "websocket.close" and not self.response_started:
            await self.refuse(ClientError("There is nothing under this path.", code="not_found"))
            return
        if message["type"] in _RESPONSE_START:
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            if message.get("status") == 413 and headers.get("content-type", "").startswith("text/plain"):
                await self.refuse(ClientError("The body is too large.", code="request_too_large"))
                return
            self.response_started = True
            self._log_refusal(message.get("status", 101))
            headers[HEADER] = self._trace.id
            message["headers"] = headers.raw
        await self._send(message)

    async def refuse(self, error: ClientError) -> None:
        """Answer with this error, and with nothing that comes after it."""
        self._refused = True
        refusal = error_response(error)
        refusal.headers[HEADER] = self._trace.id
        self._log_refusal(refusal.status_code)
        await refusal(self._scope, self._receive, self._send)

    def _log_refusal(self, status: int) -> None:
        """Nothing of what the client sent but the path, and what the answer says."""
        error = self._trace.refusal
        if status < 400 or (error is not None and error.code == "internal_error"):  # that is logged with its trace
            return
        if self._scope["path"] == _READINESS_PATH:
            return
        level = logging.WARNING if status in _WARNED_STATUSES or status >= 500 else logging.INFO
        reason_text = f"{error.code}: {one_line(error.message)}" if error is not None else "no reason given"
        client = self._scope.get("client")
        address = client[0] if client else "a local socket"
        line = _request_line(self._scope)
        log.log(level, "refused %s from %s: %d %s (trace %s)", line, address, status, reason_text, self._trace.id)


def _request_line(scope: Scope) -> str:
    return f"{scope.get('method', 'WebSocket')} {one_line(scope['path'])}"
