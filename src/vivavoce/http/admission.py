"""Admission: who makes a request and whether they may is settled before a byte of its body is read.

One layer in front of all routes, HTTP and WebSocket alike. It checks the key, its scope and its rate; routes only read what
was found (``auth.Caller``, ``auth.principal_of``). What a path needs is written in ``access``, and a path that is not there
needs a key, so a new route cannot be forgotten.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from vivavoce.errors import ClientError
from vivavoce.http.auth import Auth, remember_principal
from vivavoce.http.errors import refuse


class AdmissionMiddleware:
    """The layer: what is within it is reached by admitted requests only."""

    def __init__(self, app: ASGIApp, auth: Auth) -> None:
        self._app = app
        self._auth = auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on, or refuse it."""
        if scope["type"] in ("http", "websocket"):
            try:
                remember_principal(scope, await self._auth.admit(HTTPConnection(scope)))
            except ClientError as error:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)
