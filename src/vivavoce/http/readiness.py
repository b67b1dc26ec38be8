"""What a server needs in order to serve, and what of it is there: for ``/readyz`` and ``/metrics``.

Each check says why it fails, in words of a few components and kinds of errors; nothing of what is stored, or whose it is.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import text

from vivavoce.errors import StoreError, StoreFullError
from vivavoce.http.serving import Serving

log = logging.getLogger(__name__)

STORE_WITHIN_S = 2.0
"""A store that takes longer to say anything does not answer."""

ASKED_EVERY_S = 1.0
"""Whoever asks more often, and anybody may, is told what was found last."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is needed. ``reason`` says why it is not there; ``None``: it is."""

    name: str
    reason: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it is there."""
        return self.reason is None


class Readiness:
    """The checks of one server."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._store = Check("store", "opening")
        self._store_until = 0.0
        self._asking = asyncio.Lock()

    async def checks(self) -> tuple[Check, ...]:
        """All of them, in a fixed order."""
        serving = self._serving
        workers = tuple(
            Check(f"worker {worker.name}", None if worker.up else worker.error or "ended")
            for worker in serving.supervisor.workers
        )
        return (
            Check("engines", None if serving.loaded is not None else "failed" if serving.failure else "loading"),
            Check("admission", "draining" if serving.calls.draining else None),
            await self._checked_store(),
            *workers,
        )

    async def _checked_store(self) -> Check:
        async with self._asking:
            if monotonic() >= self._store_until:
                self._store = await self._ask_store()
                self._store_until = monotonic() + ASKED_EVERY_S
            return self._store

    async def _ask_store(self) -> Check:
        opened = self._serving.opened
        if opened is None:
            return Check("store", "failed" if self._serving.failure else "opening")
        try:
            async with asyncio.timeout(STORE_WITHIN_S), opened.reading() as session:
                await session.execute(text("SELECT 1"))
        except TimeoutError:
            return Check("store", "no answer")
        except StoreError as error:
            return Check("store", error.code)
        return Check("store", StoreFullError.code if opened.database.room.full else None)
