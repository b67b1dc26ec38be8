"""Background work that goes on whatever happens to it: what fails is logged, and tried again after a while.

A worker is a step that is taken again and again. Its failures are its own: nobody waits for its result, so nobody else would
notice. Readiness and metrics are made of what is known here (``http/health.py``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from vivavoce.errors import VivavoceError

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.5
MAX_RETRY_S = 10.0
"""After each failure in a row the worker waits twice as long as before, up to this."""

STEP_S = 0.5
"""What a step gets to come to its end when its worker is stopped; cut short, it may leave a connection half open."""

Step: TypeAlias = Callable[[], Awaitable[bool]]
"""Does one piece of work; says whether it found any, so that it looks for more at once."""


class Worker:
    """One background worker, from ``Supervisor.start`` to ``stop``.

    ``failures`` counts all there were; ``error`` names the kind of the last one, until a step succeeds again.
    """

    def __init__(self, name: str, step: Step, idle_s: float) -> None:
        self.name = name
        self.failures = 0
        self.error: str | None = None
        self._step = step
        self._idle_s = idle_s
        self._wake = asyncio.Event()
        self._stopping = False
        self._stepping = False
        self._task = asyncio.create_task(self._run(), name=name)

    @property
    def up(self) -> bool:
        """Whether it is at work: it has not ended, and its last step did not fail."""
        return self.error is None and not self._task.done()

    def wake(self) -> None:
        """There is work; it need not wait until it looks by itself."""
        self._wake.set()

    async def stop(self) -> None:
        """End it, and wait until it has let go of what it was doing. A short step is let come to its end."""
        self._stopping = True
        self._wake.set()
        await asyncio.wait([self._task], timeout=STEP_S if self._stepping else 0)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stopping:
            self._wake.clear()
            self._stepping = True
            try:
                has_more = await self._step()
            except (Exception, asyncio.CancelledError) as error:
                self._stepping = False
                if is_cancelled():
                    raise asyncio.CancelledError from error  # also where letting go of its work failed
                self._failed(error, retry_s)
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, MAX_RETRY_S)
                continue
            self._stepping = False
            self._succeeded()
            retry_s = FIRST_RETRY_S
            if not has_more and not self._stopping:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._idle_s):
                        await self._wake.wait()

    def _failed(self, error: BaseException, retry_s: float) -> None:
        self.failures += 1
        self.error = type(error).__name__
        is_expected = isinstance(error, VivavoceError)
        log.error(
            "worker %s: %s; tried again in %g s",
            self.name,
            error if is_expected else self.error,
            retry_s,
            exc_info=None if is_expected else error,
        )

    def _succeeded(self) -> None:
        if self.error is not None:
            log.warning("worker %s: running again", self.name)
        self.error = None


class Supervisor:
    """All background workers of a process."""

    def __init__(self) -> None:
        self._workers: list[Worker] = []

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Those that were started, also ones that have ended."""
        return tuple(self._workers)

    def start(self, name: str, step: Step, *, idle_s: float) -> Worker:
        """Take ``step`` again and again; after one that found nothing to do, when woken or ``idle_s`` later."""
        worker = Worker(name, step, idle_s)
        self._workers.append(worker)
        return worker

    async def close(self) -> None:
        """End those that still work."""
        await asyncio.gather(*(worker.stop() for worker in self._workers))


@asynccontextmanager
async def meanwhile(name: str, step: Callable[[], Awaitable[object]], *, every_s: float) -> AsyncIterator[None]:
    """Take ``step`` every ``every_s`` seconds for the length of a block. One that fails is logged, and so is the next one.

    A step that has begun is done when the block is left: a transaction is never cut short.
    """
    stopped = asyncio.Event()

    async def repeat() -> None:
        while not stopped.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await stopped.wait()
                    return
            try:
                await step()
            except Exception as error:  # noqa: BLE001 (logged; the block goes on)
                log.warning("%s: %s", name, error if isinstance(error, VivavoceError) else type(error).__name__)

    repeating = asyncio.create_task(repeat(), name=name)
    try:
        yield
    finally:
        stopped.set()
        await asyncio.wait([repeating])


def is_cancelled() -> bool:
    """Whether this task was cancelled; a step may also meet the cancellation of a task it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
