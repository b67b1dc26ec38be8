"""The frames to a client in order, kept for a while, so that one who was cut off can have them again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from sys import getsizeof

import msgspec

from vivavoce.errors import ClientError

UNSENT_FRAMES = 4096
"""Frames waiting for the client. Audio is paced, so only a client that stopped reading fills this: it is cut off."""

MAX_BYTES = 16 * 1024 * 1024
"""Memory of the frames that wait and are kept."""

ROOM_BYTES = 1024 * 1024
"""Memory of the frames that wait for a client beyond which it is not listened to: it asks for more than it reads."""

STALLED_S = 30.0
"""A client that reads nothing for so long, and is not listened to any more, is cut off."""


class SlowClientError(Exception):
    """The client has stopped reading."""


class _Stamp(msgspec.Struct):
    """What of a frame tells which event it is. One event can be two frames; each has an id of its own."""

    event_id: str


class ReplayBuffer:
    """Frames in order, each a JSON event; without a client, they wait.

    ``keep_frames`` frames that were sent stay, as far as they and those that wait take no more than ``max_bytes``.
    """

    def __init__(self, *, keep_frames: int = 0, max_bytes: int = MAX_BYTES) -> None:
        self._keep_frames = keep_frames
        self._max_bytes = max_bytes
        self._frames: deque[str] = deque()
        self._unsent = 0
        self._unsent_bytes = 0
        self._kept_bytes = 0
        self._progress = asyncio.Event()
        self._sender: object = None
        self._pending = asyncio.Event()
        self._all_sent = asyncio.Event()

    def post(self, frame: str) -> None:
        """Queue a frame. Raises ``SlowClientError`` when too many wait, or too much."""
        if self._unsent >= UNSENT_FRAMES:
            raise SlowClientError(f"{UNSENT_FRAMES} frames wait for the client")
        if self._unsent and self._unsent_bytes + getsizeof(frame) > self._max_bytes:
            raise SlowClientError(f"{self._unsent_bytes} bytes wait for the client")
        self._frames.append(frame)
        self._unsent += 1
        self._unsent_bytes += getsizeof(frame)
        self._trim()
        self._all_sent.clear()
        self._pending.set()

    async def deliver(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send what waits and what comes, until cancelled, or until ``deliver`` or ``rewind`` is called for another client."""
        sender = self._sender = object()
        while self._sender is sender:
            while self._unsent:
                await send(self._frames[-self._unsent])
                if self._sender is not sender:
                    return  # the frame went to a client that has been replaced: the new one gets it, too
                self._mark_sent()
            self._all_sent.set()
            self._pending.clear()
            await self._pending.wait()

    async def drain(self) -> None:
        """Until all that waits has been sent."""
        if self._unsent:
            await self._all_sent.wait()

    async def wait_for_room(self) -> None:
        """Until the client has taken enough of what waits that it may ask for more.

        Raises ``SlowClientError`` when it takes nothing for ``STALLED_S``.
        """
        while self._unsent_bytes > ROOM_BYTES:
            self._progress.clear()
            try:
                async with asyncio.timeout(STALLED_S):
                    await self._progress.wait()
            except TimeoutError:
                raise SlowClientError(
                    f"{self._unsent_bytes} bytes wait for the client, which has taken nothing for {STALLED_S:g} s"
                ) from None

    def rewind(self, after: str | None) -> None:
        """Go on after the event ``after``, the last one the client has seen; ``None``: with what was never sent.

        From now on nothing goes to the client before. Raises ``ClientError`` when that event is not kept any more (or never
        was): then nothing changes.
        """
        if after is not None:
            self._unsent = self._count_after(after)
            frames = list(self._frames)
            sent_count = len(frames) - self._unsent
            self._kept_bytes, self._unsent_bytes = (
                sum(map(getsizeof, part)) for part in (frames[:sent_count], frames[sent_count:])
            )
        self._sender = None
        if self._unsent:
            self._all_sent.clear()
        self._pending.set()

    def _mark_sent(self) -> None:
        size = getsizeof(self._frames[-self._unsent])
        self._unsent -= 1
        self._unsent_bytes -= size
        self._kept_bytes += size
        self._progress.set()
        self._trim()

    def _trim(self) -> None:
        """Forget the oldest frames that were sent, if they are too many or too much."""
        while (kept := len(self._frames) - self._unsent) and (
            kept > self._keep_frames or self._kept_bytes + self._unsent_bytes > self._max_bytes
        ):
            self._kept_bytes -= getsizeof(self._frames.popleft())

    def _count_after(self, after: str) -> int:
        """How many frames follow this event."""
        for count, frame in enumerate(reversed(self._frames)):
            if msgspec.json.decode(frame, type=_Stamp).event_id == after:
                return count
        raise ClientError("The missed events are not kept any more.", code="session_not_resumable", param="after")
