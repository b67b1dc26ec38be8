"""Samples played into the socket in real time, as a microphone would.

A microphone hands over a chunk when the chunk's last sample has been heard. So the sample at position p (seconds) is
spoken at ``origin + p`` and chunk n leaves at ``origin + (n + 1) * 20 ms``: deadlines are absolute, a late chunk does
not push the ones after it, and nothing is sent before it could have been spoken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import chain, repeat
from typing import Any, TypeVar

import numpy as np

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.client.connection import RealtimeClient
from vivavoce.client.errors import ConnectError
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.types import Samples

CHUNK_MS = 20
"""The cadence the guide recommends (Realtime reference 1.6)."""

Item = TypeVar("Item")
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


async def at_deadlines(
    items: Iterable[Item],
    *,
    origin_s: float,
    period_s: float,
    clock: Clock = time.perf_counter,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[tuple[Item, float]]:
    """Yield item n not before ``origin_s + (n + 1) * period_s``, with how many seconds late it is.

    Lateness does not add up: when the reader falls behind, the following items come at once until it has caught up.
    """
    for n, item in enumerate(items):
        due_s = origin_s + (n + 1) * period_s
        wait_s = due_s - clock()
        if wait_s > 0:
            await sleep(wait_s)
        yield item, max(0.0, clock() - due_s)


def chunks_of(samples: Samples, *, rate_hz: int = WIRE_RATE_HZ, chunk_ms: int = CHUNK_MS) -> list[bytes]:
    """Cut into pcm16 chunks of equal length; the last one is filled up with silence."""
    size = rate_hz * chunk_ms // 1000
    padded = np.pad(samples, (0, -len(samples) % size))
    return [encode_pcm16(padded[at : at + size]) for at in range(0, len(padded), size)]


class MicrophoneStream:
    """Speaks ``samples`` (24 kHz) into a conversation, then goes on with real silence until it is cancelled."""

    def __init__(self, client: RealtimeClient, samples: Samples) -> None:
        self._client = client
        self._chunks = chunks_of(samples)
        self.origin_s: float | None = None
        self.chunks_sent = 0
        self.max_late_ms = 0.0

    @property
    def is_speech_sent(self) -> bool:
        """Whether all samples have left; from then on the stream sends silence."""
        return self.chunks_sent >= len(self._chunks)

    def spoken_at_s(self, position_ms: float) -> float:
        """When the sample at this position was spoken, in seconds on ``time.perf_counter``."""
        if self.origin_s is None:
            raise RuntimeError("The stream has not started.")
        return self.origin_s + position_ms / 1000.0

    async def run(self) -> None:
        """Send until cancelled. Raises ``ConnectError`` when the server closes."""
        silence = bytes(WIRE_RATE_HZ * CHUNK_MS // 1000 * 2)
        self.origin_s = time.perf_counter()
        paced = at_deadlines(chain(self._chunks, repeat(silence)), origin_s=self.origin_s, period_s=CHUNK_MS / 1000)
        async for chunk, late_s in paced:
            await self._client.append(chunk)
            self.chunks_sent += 1
            self.max_late_ms = max(self.max_late_ms, late_s * 1000.0)


@asynccontextmanager
async def running(sending: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Keep on sending for the duration of the block.

    A sender fails only because the socket has closed, and whoever reads in the block meets that as well.
    """
    task = asyncio.create_task(sending)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ConnectError):
            await task
