"""Paths as clients put them together: ``base_url + "/realtime"`` often has a slash too many, within it or at its end.

Nothing is redirected: clients repeat a ``POST`` or an upgrade only reluctantly, and WebSocket clients never do.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


def plain_path(path: str) -> str:
    """``path`` without empty segments, and without a slash at its end."""
    return "/" + "/".join(segment for segment in path.split("/") if segment)


class PlainPaths:
    """A layer that shows what is within it plain paths only; no route ends with a slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] in ("http", "websocket"):
            path = plain_path(scope["path"])
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
