"""A client without a socket: what it sends is put into a queue, what it gets is parsed and kept."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

WITHIN_S = 10.0


def tone(milliseconds: int) -> bytes:
    """Speech, as fake engines hear it: PCM16 at 24 kHz."""
    return (np.sin(np.arange(milliseconds * 24) / 10) * 16_000).astype("<i2").tobytes()


class Client:
    """Implements ``ClientSocket``."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.closed_by_client = False
        self.closed_with: int | None = None
        self.broken = False
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._arrived = asyncio.Event()

    def send_event(self, type: str, **fields: Any) -> None:
        self._frames.put_nowait(json.dumps({"type": type, **fields}))

    def append(self, audio: bytes) -> None:
        self.send_event("input_audio_buffer.append", audio=base64.b64encode(audio).decode())

    def send_text(self, frame: str) -> None:
        self._frames.put_nowait(frame)

    def hang_up(self) -> None:
        """Close the connection in order."""
        self.closed_by_client = True
        self._frames.put_nowait(None)

    def lose_connection(self) -> None:
        self.broken = True
        self._frames.put_nowait(None)

    async def until(self, type: str) -> dict[str, Any]:
        """The first event of this type."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                for event in self.events:
                    if event["type"] == type:
                        return event
                self._arrived.clear()
                await self._arrived.wait()

    # ---- ClientSocket

    async def frames(self) -> AsyncIterator[str | bytes]:
        while (frame := await self._frames.get()) is not None:
            yield frame

    async def send(self, frame: str) -> None:
        if self.broken:
            raise ConnectionError
        self.events.append(json.loads(frame))
        self._arrived.set()

    async def close(self, code: int, reason: str = "") -> None:
        self.closed_with = code
