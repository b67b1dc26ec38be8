"""The line to a client: frames in order, kept for a while, so that one who was cut off can have them again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from vivavoce.errors import ClientError

UNSENT_FRAMES = 4096
"""Frames waiting for the client. Audio is paced, so only a client that stopped reading fills this: it is cut off."""


class SlowClientError(Exception):
    """The client has stopped reading."""


class _Stamp(msgspec.Struct):
    """What of a frame tells which event it is. One event can be two frames; each has an id of its own."""

    event_id: str


class Line:
    """Frames in order, each a JSON event. ``keep`` frames that were sent stay; without a client, frames wait."""

    def __init__(self, *, keep: int = 0) -> None:
        self._keep = keep
        self._frames: deque[str] = deque()
        self._unsent = 0
        self._carrier: object = None
        self._more = asyncio.Event()
        self._all_sent = asyncio.Event()

    def post(self, frame: str) -> None:
        """Queue a frame. Raises ``SlowClientError`` when too many wait."""
        if self._unsent >= UNSENT_FRAMES:
            raise SlowClientError(f"{UNSENT_FRAMES} frames wait for the client")
        self._frames.append(frame)
        self._unsent += 1
        self._all_sent.clear()
        self._more.set()

    async def carry(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send what waits and what comes, until cancelled, or until ``carry`` or ``rewind`` is called for another client."""
        mine = self._carrier = object()
        while self._carrier is mine:
            while self._unsent:
                await send(self._frames[-self._unsent])
                if self._carrier is not mine:
                    return  # the frame went to a client that has been replaced: the new one gets it, too
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
        """Go on after the event ``after``, the last one the client has seen; ``None``: with what was never sent.

        From now on nothing goes to the client before. Raises ``ClientError`` when that event is not kept any more (or never
        was): then nothing changes.
        """
        if after is not None:
            self._unsent = self._place_after(after)
        self._carrier = None
        if self._unsent:
            self._all_sent.clear()
        self._more.set()

    def _place_after(self, after: str) -> int:
        """How many frames follow this event."""
        for place, frame in enumerate(reversed(self._frames)):
            if msgspec.json.decode(frame, type=_Stamp).event_id == after:
                return place
        raise ClientError("The missed events are not kept any more.", code="session_not_resumable", param="after")
