"""Closing several things, whatever one of them does: a failure is logged, and each of the others is closed all the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from inspect import isawaitable
from typing import Any, Protocol, TypeVar

log = logging.getLogger(__name__)

CLOSE_WITHIN_S = 30.0
"""What one of them may take that can be awaited; then the next one has its turn."""


class Closeable(Protocol):
    """What can be closed, at once or by something to be awaited."""

    def close(self) -> Awaitable[None] | None:
        """Free executors, connections and memory. Idempotent; afterwards it is not used again."""


_Thing = TypeVar("_Thing", bound=Closeable)


class CloseStack(AsyncExitStack):
    """What was opened, closed in the opposite order when the stack is left. Leaving it raises nothing of its own."""

    def add(self, opened: _Thing) -> _Thing:
        """``opened``, which will be closed."""
        self.call(type(opened).__name__, opened.close)
        return opened

    def call(self, name: str, close: Callable[[], Awaitable[Any] | None]) -> None:
        """Have ``close`` called at the end; ``name`` it closes is for the log."""
        self.push_async_callback(_closed, name, close)


async def _closed(name: str, close: Callable[[], Awaitable[Any] | None]) -> None:
    try:
        closing = close()
        if isawaitable(closing):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await closing
    except Exception:
        log.exception("closing %s failed", name)
