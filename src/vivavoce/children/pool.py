"""Children that take jobs with files: a few wait for the next one, a bad one is thrown away, and one that died replaced."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from vivavoce.children.command import ChildDiedError, ChildOvertimeError, report_confinement
from vivavoce.children.frames import Frame
from vivavoce.children.process import ChildProcess
from vivavoce.closing import CloseStack

log = logging.getLogger(__name__)

T = TypeVar("T")


class ChildPool:
    """Children that run ``module``, for at most ``capacity`` jobs at once, which the caller sees to.

    At most ``max_idle`` wait, each for at most ``jobs_each`` jobs and with at most ``idle_bytes`` of memory, whatever its
    libraries may have kept. ``name`` is what they do, in the log.
    """

    def __init__(
        self, module: str, name: str, *, capacity: int, max_idle: int, jobs_each: int, idle_bytes: int
    ) -> None:
        self._module = module
        self._name = name
        self._max_idle = max_idle
        self._jobs_each = jobs_each
        self._idle_bytes = idle_bytes
        # One listens to each child, one ends it. They end with the pool: a job may outlive its closing.
        self._threads = ThreadPoolExecutor(2 * capacity, thread_name_prefix=name)
        self.idle: list[PooledChild] = []
        self.closed = False

    async def open(self) -> None:
        """Start the first child, so that no job waits for it, and log what confines it. Raises ``ChildDiedError``."""
        child = await self._new_child()
        try:
            await self._said(child, child.starts, None)
        except BaseException:
            await self._end(child)
            raise
        report_confinement(child.unavailable)
        self.idle.append(child)

    async def answer(
        self, job: dict[str, Any], source: bytes | BinaryIO | Path, *, within_s: float | None = None
    ) -> AsyncGenerator[Frame, None]:
        """The frames a child answers a job with, the last one among them. When this has ended, nobody reads ``source``.

        A child that dies is replaced once, and the frames that had come are left out the second time. Raises
        ``ChildDiedError`` when the second one has died, too, ``ChildOvertimeError`` for one that has computed for too long, or
        has said nothing for ``within_s``.
        """
        given = 0
        try:
            child = await self._waiting_child() or await self._new_child()
            async with aclosing(self._once(child, job, source, within_s)) as frames:
                async for frame in frames:
                    given += 1
                    yield frame
            return
        except ChildDiedError as death:
            log.warning("%s: a process %s; its work is begun again", self._name, death)
        try:
            child = await self._new_child()  # whatever killed one may have killed all that wait
            async with aclosing(self._once(child, job, source, within_s)) as frames:
                async for frame in frames:
                    if given and not is_last(frame):
                        given -= 1
                    else:
                        yield frame
        except ChildDiedError as death:
            log.warning("%s: a process %s again with the same work", self._name, death)
            raise

    async def close(self) -> None:
        """End the children that wait. Those at work end with their jobs."""
        self.closed = True
        async with CloseStack() as stack:
            while self.idle:
                stack.call(self._name, partial(self._end, self.idle.pop()))

    async def _waiting_child(self) -> PooledChild | None:
        """One that waits, and lives."""
        while self.idle:
            child = self.idle.pop()
            if child.is_alive:
                return child
            await self._end(child)
        return None

    async def _new_child(self) -> PooledChild:
        starting = self._in_thread(lambda: PooledChild(self._module))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(lambda started: self._in_thread(started.result().end))
            raise

    async def _once(
        self, child: PooledChild, job: dict[str, Any], source: bytes | BinaryIO | Path, within_s: float | None
    ) -> AsyncGenerator[Frame, None]:
        """The answer of one child. Raises ``ChildDiedError`` and ``ChildOvertimeError``."""
        whole = False
        try:
            frame = await self._said(child, lambda: child.begin(job, source), within_s)
            while not is_last(frame):
                yield frame
                frame = await self._said(child, child.next, within_s)
            whole = True
        finally:
            if whole and "spent" not in frame[0] and self._keeps(child):
                self.idle.append(child)
            else:
                await self._end(child)
        yield frame

    def _keeps(self, child: PooledChild) -> bool:
        child.jobs += 1
        modest = child.jobs < self._jobs_each and child.resident_bytes() < self._idle_bytes
        return modest and len(self.idle) < self._max_idle and not self.closed

    async def _said(self, child: PooledChild, listen: Callable[[], T], within_s: float | None) -> T:
        """What ``listen`` gives, in a thread. If nobody waits for it any more, the child is killed, which ends it."""
        listening = self._in_thread(listen)
        listening.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # once killed, it is no news
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(listening)
        except TimeoutError as error:
            raise ChildOvertimeError from error
        finally:
            if not listening.done():
                child.kill()
                await asyncio.wait({listening})

    async def _end(self, child: PooledChild) -> None:
        """Nothing is left of it, also if this is cancelled."""
        child.kill()
        await asyncio.shield(self._in_thread(child.end))

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)


class PooledChild(ChildProcess):
    """A child that takes jobs with files. ``unavailable`` is what confines it not, once it has started."""

    def __init__(self, module: str) -> None:
        super().__init__(module)
        self.jobs = 0
        self.unavailable: list[str] = []
        self._started = False

    def starts(self) -> None:
        """Wait until it is there. Raises ``ChildDiedError``."""
        if not self._started:
            header, _ = self.next()
            self.unavailable, self._started = header["refused"], True

    def begin(self, job: dict[str, Any], source: bytes | BinaryIO | Path) -> Frame:
        """Give it a job; the first frame of its answer. Raises as ``send_job`` and ``next``."""
        self.starts()
        self.send_job(job, source)
        return self.next()


def is_last(frame: Frame) -> bool:
    """Whether an answer ends with it."""
    return "end" in frame[0] or "error" in frame[0]
