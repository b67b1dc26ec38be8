"""Recordings from outside, decoded in child processes: one or two wait for the next, and a bad one is thrown away.

A recording cannot take more than its share of memory and time, a decoder that crashes ends its process only, and that process
reaches nothing (``vivavoce.children``).
"""

from __future__ import annotations

import asyncio
import io
import logging
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import psutil

from vivavoce.audio.gathering import GatheredSamples
from vivavoce.audio.recordings import RawFormat
from vivavoce.children.command import ChildDiedError, child_command, child_environment, report_confinement
from vivavoce.children.frames import Frame, read_frame
from vivavoce.children.orders import descriptor_of, send_order
from vivavoce.errors import ClientError, EngineError
from vivavoce.types import Samples

log = logging.getLogger(__name__)

MIB = 1024 * 1024
CAPACITY = 3
"""Recordings decoded at once. Long ones take at most all places but one: a short one does not wait for them."""

KEPT = 2
LONG_BYTES = 2 * MIB
MEMORY_BYTES = 512 * MIB
"""The address space of a child, of which Python and its libraries take 200 to 250. Its answers leave it as they are made."""

CPU_S, CPU_SHARE = 30, 0.05
"""What a child may compute, in s: so much, and so much for each second the recording may last (it takes about 0.003)."""

WAITED_FOR = 5
"""How many times that long it is waited for: others use the cores as well."""

RECORDINGS_EACH = 1000
"""A child is replaced after so many, whatever its libraries may have kept."""

IDLE_BYTES = 120 * MIB

TOO_SLOW = "The audio takes too long to decode."
CRASHED = "The audio is damaged: it cannot be decoded."


class RecordingDecoder:
    """Decodes recordings in at most ``CAPACITY`` processes at once; more wait."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(CAPACITY)
        self._long_places = asyncio.Semaphore(CAPACITY - 1)
        self._threads = ThreadPoolExecutor(CAPACITY, thread_name_prefix="decoding")
        self._idle: list[_Child] = []
        self._closed = False
        self._keeping = Lock()

    async def open(self) -> None:
        """Start the first process, so that no recording waits for it, and log what confines it. Raises ``EngineError``."""
        child = _Child()
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, child.starts)
        except ChildDiedError as death:
            child.end()
            raise EngineError("recordings", f"the process that decodes them {death} when it was started") from death
        report_confinement(child.refused)
        self._idle.append(child)

    async def decode(
        self,
        source: bytes | BinaryIO | Path,
        *,
        rate_hz: int,
        most_s: float,
        raw: RawFormat | None = None,
        channel: int | None = None,
    ) -> Samples:
        """What ``recording_pieces`` makes of ``source``, as one array. When it ends, if cancelled, nobody reads ``source``.

        A process that dies is replaced once. Raises ``ClientError`` as ``recording_pieces`` does, ``invalid_audio`` also for
        what takes too long, too much memory, or ends its process twice; ``EngineError``, retriable, when the second process was
        ended from outside, too.
        """
        order = {
            "rate_hz": rate_hz,
            "most_s": most_s,
            "raw": None if raw is None else astuple(raw),
            "channel": channel,
            "cpu_s": CPU_S + round(most_s * CPU_SHARE),
            "memory_bytes": MEMORY_BYTES,
        }
        async with self._place(source):
            try:
                return await self._once(self._waiting_child() or self._new_child(), source, order)
            except ChildDiedError as death:
                log.warning("a process that decodes recordings %s; the recording is begun again", death)
            try:
                return await self._once(
                    self._new_child(), source, order
                )  # whatever killed one may have killed all that wait
            except ChildDiedError as death:
                log.warning("a process that decodes recordings %s again with the same recording", death)
                if death.from_outside:
                    raise EngineError("recordings", "decoding was ended from outside", retriable=True) from death
                raise ClientError(CRASHED, code="invalid_audio") from death

    async def close(self) -> None:
        """End the processes that wait. Those at work end with what they decode."""
        with self._keeping:
            self._closed = True
        while self._idle:
            self._idle.pop().end()
        self._threads.shutdown(wait=False)

    @asynccontextmanager
    async def _place(self, source: bytes | BinaryIO | Path) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if _size(source) > LONG_BYTES:
                await stack.enter_async_context(self._long_places)
            await stack.enter_async_context(self._places)
            yield

    def _waiting_child(self) -> _Child | None:
        """One that waits, and lives."""
        while self._idle:
            child = self._idle.pop()
            if child.lives:
                return child
            child.end()
        return None

    def _new_child(self) -> _Child:
        """Raises ``EngineError``."""
        if self._closed:
            raise EngineError("recordings", "the decoder is closed")
        return _Child()

    async def _once(self, child: _Child, source: bytes | BinaryIO | Path, order: dict[str, Any]) -> Samples:
        """One process's answer. Raises ``ClientError`` and ``ChildDiedError``."""
        working = asyncio.get_running_loop().run_in_executor(self._threads, self._decoded, child, source, order)
        try:
            async with asyncio.timeout(order["cpu_s"] * WAITED_FOR):
                return await asyncio.shield(working)
        except TimeoutError as error:
            raise ClientError(TOO_SLOW, code="invalid_audio") from error
        finally:
            if not working.done():
                child.kill()
                await asyncio.wait({working})
                working.exception()  # that it was killed is no news

    def _decoded(self, child: _Child, source: bytes | BinaryIO | Path, order: dict[str, Any]) -> Samples:
        """As ``_once``, in a thread: what becomes of the process does not depend on whether anybody still waits for it."""
        try:
            return child.decode(source, order)
        finally:
            with self._keeping:
                kept = child.usable and len(self._idle) < KEPT and not self._closed
                if kept:
                    self._idle.append(child)
            if not kept:
                child.end()


class _Child:
    """One process. ``usable``: it has said all it had to say, and may decode on. Its methods block, but ``kill``."""

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                child_command("vivavoce.runtime.decoding_child"),
                stdin=its.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(),
            )
        self._channel = ours
        self._decoded = 0
        self._started = False
        self.refused: list[str] = []
        self.usable = False

    @property
    def lives(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.poll() is None

    def starts(self) -> None:
        """Wait until it is there. Raises ``ChildDiedError``."""
        if not self._started:
            words, _ = self._next()
            self.refused, self._started = words["refused"], True

    def decode(self, source: bytes | BinaryIO | Path, order: dict[str, Any]) -> Samples:
        """Raises ``ClientError`` and ``ChildDiedError``."""
        self.usable = False
        self.starts()
        with descriptor_of(source) as descriptor:
            try:
                send_order(self._channel, order, descriptor)
            except OSError as error:
                raise self._died() from error
            return self._answer(int(order["most_s"] * order["rate_hz"]))

    def _answer(self, most: int) -> Samples:
        gathered = GatheredSamples(most)
        while True:
            words, piece = self._next()
            if "end" in words:
                self._done()
                return gathered.samples()
            if "error" in words:
                self._done()
                raise ClientError(words["error"], code=words["code"])
            if not gathered.add(piece):
                raise self._died()  # more than it was asked for: it is no longer what was started

    def _next(self) -> Frame:
        assert self._process.stdout is not None
        try:
            frame = read_frame(self._process.stdout)
        except (ValueError, KeyError) as error:
            raise self._died() from error
        if frame is None:
            raise self._died()
        return frame

    def _died(self) -> Exception:
        """What it died of; it is ended, if it was not."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.poll()
        self.kill()
        if code == -signal.SIGXCPU:
            return ClientError(TOO_SLOW, code="invalid_audio")
        return ChildDiedError(code)

    def _done(self) -> None:
        self._decoded += 1
        self.usable = self._decoded < RECORDINGS_EACH and self._resident_bytes() < IDLE_BYTES

    def _resident_bytes(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0  # it has ended, and shows so with the next recording

    def kill(self) -> None:
        """Whatever it does, it ends, and whoever waits for its answer sees that."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def end(self) -> None:
        """As ``kill``, and nothing is left of it."""
        self.kill()
        self._process.wait()
        self._channel.close()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _size(source: bytes | BinaryIO | Path) -> int:
    if isinstance(source, bytes):
        return len(source)
    return source.stat().st_size if isinstance(source, Path) else source.seek(0, io.SEEK_END)
