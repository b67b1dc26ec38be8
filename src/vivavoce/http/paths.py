"""Paths as clients put them together: ``base_url + "/realtime"`` often has a slash too many, within it or at its end.

Nothing is redirected: clients repeat a ``POST`` or an upgrade only reluctantly, and WebSocket clients never do.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

STEP_PLAN_PREFIX = "/step_plan"
"""What clients of StepFun's subscription have before the version of every path."""

_STATE = "step_plan"


def plain_path(path: str) -> str:
    """``path`` without empty segments, and without a slash at its end."""
    return "/" + "/".join(segment for segment in path.split("/") if segment)


def uses_step_plan(connection: HTTPConnection) -> bool:
    """Whether a client came by a path of StepFun's subscription."""
    found: bool = connection.scope["state"][_STATE]
    return found


class PathMiddleware:
    """A layer that shows what is within it plain paths only: no route ends with a slash, or is the subscription's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] in ("http", "websocket"):
            path = plain_path(scope["path"])
            subscribed = path.startswith(f"{STEP_PLAN_PREFIX}/v1/")
            if subscribed:
                path = path.removeprefix(STEP_PLAN_PREFIX)
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
            scope.setdefault("state", {})[_STATE] = subscribed
        await self._app(scope, receive, send)
