"""Whether a server's event loop stands still, which is when nobody hears anything."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from running import RunningServer

TOO_LONG_MS = 120.0
"""Of processor time between two turns of the loop: alone on a machine nothing takes more than 65."""

FAR_TOO_LONG_MS = 1500.0
"""Between two turns by the clock, where the test's own client, which shares this process, and other programs count too."""

_ATTEMPTS = 3
"""A virtual machine whose host is busy charges its programs for that at times, but not each time."""


@dataclass(slots=True)
class Standstill:
    """The longest time between two turns of an event loop: its thread's processor time, and by the clock."""

    worked_ms: float = 0.0
    passed_ms: float = 0.0

    @property
    def too_long(self) -> bool:
        return self.worked_ms >= TOO_LONG_MS or self.passed_ms >= FAR_TOO_LONG_MS


async def stops_nobody(server: RunningServer, attempt: Callable[[], Awaitable[None]]) -> None:
    """Whatever ``attempt`` does to the server, its loop goes on turning meanwhile."""
    stops = []
    for _ in range(_ATTEMPTS):
        with watched(server) as standstill:
            await attempt()
        stops.append(standstill)
        if not standstill.too_long:
            return
    raise AssertionError(f"the event loop stood still: {stops}")


@contextmanager
def watched(server: RunningServer) -> Iterator[Standstill]:
    """Yields the longest standstill of the loop during the block; whole when the block has ended."""
    loop = server.core.connections._group._loop
    assert loop is not None
    worst, over = Standstill(), threading.Event()

    async def watch() -> None:
        while not over.is_set():
            began, worked = time.monotonic(), time.thread_time()
            await asyncio.sleep(0.002)
            worst.worked_ms = max(worst.worked_ms, (time.thread_time() - worked) * 1000)
            worst.passed_ms = max(worst.passed_ms, (time.monotonic() - began) * 1000)

    watching = asyncio.run_coroutine_threadsafe(watch(), loop)
    try:
        yield worst
    finally:
        over.set()
        watching.result(10)
