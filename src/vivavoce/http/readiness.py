"""What a server needs in order to serve, and what of it is there: for ``/readyz`` and ``/metrics``.

Each check says why it fails, in words of a few components and kinds of errors; nothing of what is stored, or whose it is.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from time import monotonic
from typing import assert_never

from sqlalchemy import text

from vivavoce.errors import StoreError, StoreFullError
from vivavoce.http.core import AppState
from vivavoce.http.lifecycle import Failed, Lifecycle, Loading, Ready, Stage

log = logging.getLogger(__name__)

STORE_TIMEOUT_S = 2.0
"""A store that takes longer to say anything does not answer."""

STORE_CHECK_INTERVAL_S = 1.0
"""Whoever asks more often, and anybody may, is told what was found last."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is needed. ``reason`` says why it is not there; ``None``: it is.

    Without one that is not ``required`` the server serves all the same, some requests aside.
    """

    name: str
    reason: str | None = None
    required: bool = True

    @property
    def ok(self) -> bool:
        """Whether it is there."""
        return self.reason is None


class Readiness:
    """The checks of one server."""

    def __init__(self, state: AppState, lifecycle: Lifecycle) -> None:
        self._state = state
        self._lifecycle = lifecycle
        self._store = Check("store", "opening")
        self._store_until = 0.0
        self._asking = asyncio.Lock()

    async def checks(self) -> tuple[Check, ...]:
        """All of them, in a fixed order."""
        workers = tuple(
            Check(f"worker {worker.name}", None if worker.up else worker.error or "ended")
            for worker in self._state.supervisor.workers
        )
        return (
            Check("engines", _missing(self._lifecycle.stage, "loading")),
            Check("admission", "draining" if self._state.connections.draining else None),
            await self._checked_store(),
            *workers,
            *await self._remote_engines(),
        )

    async def _remote_engines(self) -> list[Check]:
        """Engines that run elsewhere. One that is away is no reason to send clients elsewhere: there it is away, too."""
        engines = self._lifecycle.engines
        if engines is None or not engines.health:
            return []
        reasons = await asyncio.gather(*(probe() for probe in engines.health.values()))
        return [
            Check(f"engine {name}", reason, required=False)
            for name, reason in zip(engines.health, reasons, strict=True)
        ]

    async def _checked_store(self) -> Check:
        async with self._asking:
            if monotonic() >= self._store_until:
                self._store = await self._ask_store()
                self._store_until = monotonic() + STORE_CHECK_INTERVAL_S
            return self._store

    async def _ask_store(self) -> Check:
        stage = self._lifecycle.stage
        opened = stage.store
        if opened is None:
            return Check("store", _missing(stage, "opening"))
        try:
            async with asyncio.timeout(STORE_TIMEOUT_S), opened.reading() as session:
                await session.execute(text("SELECT 1"))
        except TimeoutError:
            return Check("store", "no answer")
        except StoreError as error:
            return Check("store", error.code)
        return Check("store", StoreFullError.code if opened.database.disk_space.full else None)


def _missing(stage: Stage, meanwhile: str) -> str | None:
    """Why something is not there at this stage; ``meanwhile`` names what is done until then."""
    match stage:
        case Ready():
            return None
        case Failed():
            return "failed"
        case Loading():
            return meanwhile
        case _:
            assert_never(stage)
