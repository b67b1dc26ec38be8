"""A response of the other side's in progress: what is told of it, until somebody takes it in."""

from __future__ import annotations

import asyncio
from typing import Any

from vivavoce.engines.remote.errors import RemoteError

MAX_WAITING = 48 * 1024 * 1024
"""Characters of events of a reply that nobody has taken in yet: twelve minutes of speech."""


class FarReply:
    """A response in progress. ``response_id`` is ours, ``id`` the other side's, once it is told."""

    def __init__(self, response_id: str) -> None:
        self.response_id = response_id
        self.id: str | None = None
        self.stopped = False
        self.over = asyncio.Event()
        self._events: asyncio.Queue[dict[str, Any] | RemoteError] = asyncio.Queue()
        self._waiting = 0

    def put(self, event: dict[str, Any]) -> bool:
        """Something is told of it. Whether there is room for more."""
        self._events.put_nowait(event)
        self._waiting += len(event.get("delta") or "")
        return self._waiting < MAX_WAITING

    def fail(self, error: RemoteError) -> None:
        """It comes to nothing."""
        self.over.set()
        self._events.put_nowait(error)

    async def next(self) -> dict[str, Any]:
        """What is told next. Raises the ``RemoteError`` it failed with."""
        event = await self._events.get()
        if isinstance(event, RemoteError):
            raise event
        self._waiting -= len(event.get("delta") or "")
        return event
