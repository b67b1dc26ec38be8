"""Recordings from outside, decoded in child processes: one or two wait for the next, and a bad one is thrown away.

A recording cannot take more than its share of memory and time, a decoder that crashes ends its process only, and that process
reaches nothing (``vivavoce.children``).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import astuple
from pathlib import Path
from typing import BinaryIO

from vivavoce.audio.gathering import GatheredSamples
from vivavoce.audio.recordings import RawFormat
from vivavoce.children.command import ChildDiedError, ChildOvertimeError
from vivavoce.children.pool import ChildPool
from vivavoce.errors import ClientError, EngineError
from vivavoce.types import Samples

MIB = 1024 * 1024
CAPACITY = 3
"""Recordings decoded at once. Long ones take at most all places but one: a short one does not wait for them."""

MAX_IDLE_CHILDREN = 2
LONG_BYTES = 2 * MIB
MEMORY_BYTES = 512 * MIB
"""The address space of a child, of which Python and its libraries take 200 to 250. Its answers leave it as they are made."""

CPU_S, CPU_SHARE = 30, 0.05
"""What a child may compute, in s: so much, and so much for each second the recording may last (it takes about 0.003)."""

WALL_TIME_FACTOR = 5
"""How many times that long it is waited for: others use the cores as well."""

RECORDINGS_EACH = 1000
"""A child is replaced after so many, whatever its libraries may have kept."""

IDLE_BYTES = 120 * MIB

TOO_SLOW = "The audio takes too long to decode."
CRASHED = "The audio is damaged: it cannot be decoded."


class RecordingDecoder:
    """Decodes recordings in at most ``CAPACITY`` processes at once; more wait."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(CAPACITY)
        self._long_slots = asyncio.Semaphore(CAPACITY - 1)
        self._children = ChildPool(
            "vivavoce.runtime.decoding_child",
            "decoding",
            capacity=CAPACITY,
            max_idle=MAX_IDLE_CHILDREN,
            jobs_each=RECORDINGS_EACH,
            idle_bytes=IDLE_BYTES,
        )

    async def open(self) -> None:
        """Start the first process, so that no recording waits for it, and log what confines it. Raises ``EngineError``."""
        try:
            await self._children.open()
        except ChildDiedError as death:
            raise EngineError("recordings", f"the process that decodes them {death} when it was started") from death

    async def decode(
        self,
        source: bytes | BinaryIO | Path,
        *,
        rate_hz: int,
        max_s: float,
        raw: RawFormat | None = None,
        channel: int | None = None,
    ) -> Samples:
        """What ``recording_pieces`` makes of ``source``, as one array. When it ends, if cancelled, nobody reads ``source``.

        A process that dies is replaced once. Raises ``ClientError`` as ``recording_pieces`` does, ``invalid_audio`` also for
        what takes too long, too much memory, or ends its process twice; ``EngineError``, retriable, when the second process was
        ended from outside, too.
        """
        cpu_s = CPU_S + round(max_s * CPU_SHARE)
        job = {
            "rate_hz": rate_hz,
            "max_s": max_s,
            "raw": None if raw is None else astuple(raw),
            "channel": channel,
            "cpu_s": cpu_s,
            "memory_bytes": MEMORY_BYTES,
        }
        buffer = GatheredSamples(int(max_s * rate_hz))
        async with self._slot(source):
            if self._children.closed:
                raise EngineError("recordings", "the decoder is closed")
            answer = self._children.answer(job, source, within_s=cpu_s * WALL_TIME_FACTOR)
            try:
                async with aclosing(answer) as frames:
                    async for header, piece in frames:
                        if "error" in header:
                            raise ClientError(header["error"], code=header["code"])
                        if not buffer.add(piece):  # more than it was asked for: it is no longer what was started
                            raise ClientError(CRASHED, code="invalid_audio")
            except ChildOvertimeError as error:
                raise ClientError(TOO_SLOW, code="invalid_audio") from error
            except ChildDiedError as death:
                if death.from_outside:
                    raise EngineError("recordings", "decoding was ended from outside", retriable=True) from death
                raise ClientError(CRASHED, code="invalid_audio") from death
        return buffer.samples()

    async def close(self) -> None:
        """End the processes that wait. Those at work end with what they decode."""
        await self._children.close()

    @asynccontextmanager
    async def _slot(self, source: bytes | BinaryIO | Path) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if _size(source) > LONG_BYTES:
                await stack.enter_async_context(self._long_slots)
            await stack.enter_async_context(self._slots)
            yield


def _size(source: bytes | BinaryIO | Path) -> int:
    if isinstance(source, bytes):
        return len(source)
    return source.stat().st_size if isinstance(source, Path) else source.seek(0, io.SEEK_END)
