"""Waiting for whichever of several things is first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


async def first_of(*works: Awaitable[Any], within_s: float | None = None) -> tuple[asyncio.Future[Any], ...]:
    """Wait until one of ``works`` is done, or for ``within_s``; the others are cancelled then, and have ended on return.

    Returns a future for each, in their order: of those that were stopped ``cancelled()`` is true, of the others
    ``result()`` gives what came of them, or raises it. A failure nobody asks for is logged by the loop. What must survive
    is passed behind ``asyncio.shield``. If the caller is cancelled, all are.
    """
    futures = tuple(asyncio.ensure_future(work) for work in works)
    try:
        await asyncio.wait(futures, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in futures:
            future.cancel()
        await asyncio.wait(futures)
    return futures
