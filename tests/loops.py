"""Whether a server's event loop stands still, which is when nobody hears anything."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from running import RunningServer

TOO_LONG_MS = 120.0
"""Alone on a machine nothing takes 60; the test's own client shares this process."""

_ATTEMPTS = 3
"""A busy machine stops everything at times, but not each time."""


async def stops_nobody(server: RunningServer, attempt: Callable[[], Awaitable[None]]) -> None:
    """Whatever ``attempt`` does to the server, its loop goes on turning meanwhile."""
    stops = []
    for _ in range(_ATTEMPTS):
        with watched(server) as stop:
            await attempt()
        stops.append(stop())
        if stops[-1] < TOO_LONG_MS:
            return
    raise AssertionError(f"the event loop stood still for {stops} ms")


@contextmanager
def watched(server: RunningServer) -> Iterator[Callable[[], float]]:
    """Yields what says for how many milliseconds the loop has stood still at most, since the block began."""
    loop = server.serving.calls._group._loop
    assert loop is not None
    worst, over = 0.0, threading.Event()

    async def watch() -> None:
        nonlocal worst
        while not over.is_set():
            began = time.monotonic()
            await asyncio.sleep(0.002)
            worst = max(worst, (time.monotonic() - began) * 1000 - 2)

    watching = asyncio.run_coroutine_threadsafe(watch(), loop)
    try:
        yield lambda: worst
    finally:
        over.set()
        watching.result(10)
