"""The line to a client: frames in order, kept for a while, so that one who was cut off can have them again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from vivavoce.errors import ClientError

UNSENT_FRAMES = 4096
"""Frames waiting for the client. Audio is paced, so only a client that stopped reading fills this: it is cut off."""


class SlowClientError(Exception):
    """The client has stopped reading."""


class Line:
    """Frames by number. ``keep`` frames that were sent stay; without a client, frames wait."""

    def __init__(self, *, keep: int = 0) -> None:
        self._keep = keep
        self._frames: deque[tuple[str, str]] = deque()
        self._unsent = 0
        self._more = asyncio.Event()
        self._all_sent = asyncio.Event()

    def post(self, event_id: str, frame: str) -> None:
        """Queue a frame. Raises ``SlowClientError`` when too many wait."""
        if self._unsent >= UNSENT_FRAMES:
            raise SlowClientError(f"{UNSENT_FRAMES} frames wait for the client")
        self._frames.append((event_id, frame))
        self._unsent += 1
        self._all_sent.clear()
        self._more.set()

    async def carry(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send what waits and what comes, until cancelled. One at a time."""
        while True:
            while self._unsent:
                _, frame = self._frames[-self._unsent]
                await send(frame)
                self._unsent -= 1
                while len(self._frames) - self._unsent > self._keep:
                    self._frames.popleft()
            self._all_sent.set()
            self._more.clear()
            await self._more.wait()

    async def drained(self) -> None:
        """Until all that waits has been sent."""
        if self._unsent:
            await self._all_sent.wait()

    def rewind(self, after: str | None) -> None:
        """Send again all that follows the event ``after``; ``None``: only what was never sent.

        Raises ``ClientError`` when that event is not kept any more (or never was).
        """
        if after is None:
            return
        for place, (event_id, _) in enumerate(reversed(self._frames)):
            if event_id == after:
                self._unsent = max(place, self._unsent)
                self._all_sent.clear()
                self._more.set()
                return
        raise ClientError("The missed events are not kept any more.", code="session_not_resumable", param="after")
