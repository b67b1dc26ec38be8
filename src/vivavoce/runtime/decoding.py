"""Recordings decoded in a thread, that stops when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading
from typing import BinaryIO

from vivavoce.audio.recordings import RawFormat, read_recording
from vivavoce.types import Samples


async def recording_of(
    source: bytes | BinaryIO, *, rate_hz: int, most_s: float, raw: RawFormat | None = None, channel: int | None = None
) -> Samples:
    """``read_recording`` in a thread. Cancelled, it ends when the thread has let go of ``source``: after a packet or two."""
    stop = threading.Event()
    reading = asyncio.ensure_future(
        asyncio.to_thread(
            read_recording, source, rate_hz=rate_hz, most_s=most_s, raw=raw, channel=channel, stopped=stop.is_set
        )
    )
    try:
        return await asyncio.shield(reading)
    finally:
        stop.set()
        await asyncio.wait({reading})
