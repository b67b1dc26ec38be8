"""The reading processes: a few, kept for many documents and thrown away after a bad one."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from vivavoce.children.command import ChildDiedError, child_command, child_environment
from vivavoce.children.orders import descriptor_of, send_order
from vivavoce.closing import CloseStack
from vivavoce.errors import EngineError
from vivavoce.knowledge.blocks import Block, ParsedDocument
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import MIB, ParsingLimits
from vivavoce.runtime.scheduling import Ticket, Urgency, WorkQueue

log = logging.getLogger(__name__)

LINE_BYTES = 8 * MIB
"""The longest answer: 64 blocks of 10 000 characters, each up to six bytes in JSON."""

DOCUMENTS_EACH = 500
"""A process is replaced after so many, whatever its libraries may have kept."""

IDLE_BYTES = 100 * MIB
"""Memory a process may keep while it waits for the next document: libraries take half of it."""

TOO_SLOW = "The document takes too long to read."
CRASHED = "The document cannot be read: it is damaged, or its reader ran out of memory."
TOO_LONG = "The document holds more text than is read of one: cut it into several."


class Parsers:
    """Reads documents in at most ``capacity`` processes at once; more wait, and owners have theirs read in turn.

    While there are ``several`` owners, none has all processes.
    """

    def __init__(
        self,
        limits: ParsingLimits | None = None,
        *,
        capacity: int = 3,
        several: Callable[[], bool] = lambda: False,
    ) -> None:
        self.limits = limits or ParsingLimits()
        self._room = WorkQueue(capacity, several=several)
        self._idle: list[_Child] = []
        self._closed = False

    async def read(self, path: Path, ending: str, owner: str = "") -> AsyncGenerator[tuple[float, list[Block]], None]:
        """The blocks of a document of ``owner``, and how much of it is read, as far as anybody knows.

        Closing the generator ends the reading. A process that dies on the way is replaced once, and what it had given is
        left out the second time. Raises ``UnreadableError``, also for a document with more text than the limit, once all
        that is allowed has come; ``EngineError``, retriable, when the second process was killed from outside, too.
        """
        given = 0
        async with self._room.turn(Ticket(Urgency.LONG, owner)):
            try:
                child = self._idle.pop() if self._idle else await _Child.start()
                async with aclosing(self._once(child, path, ending)) as steps:
                    async for share, blocks in steps:
                        given += len(blocks)
                        yield share, blocks
                return
            except ChildDiedError as death:
                log.warning("a process that reads documents %s; the document is begun again", death)
            try:
                child = await _Child.start()  # whatever killed one may have killed all that wait
                async with aclosing(_beyond(given, self._once(child, path, ending))) as steps:
                    async for share, blocks in steps:
                        yield share, blocks
            except ChildDiedError as death:
                log.warning("a process that reads documents %s again with the same document", death)
                if death.from_outside:
                    raise EngineError("documents", "their reading was ended from outside", retriable=True) from death
                raise UnreadableError("invalid_file", CRASHED) from death

    async def _once(self, child: _Child, path: Path, ending: str) -> AsyncGenerator[tuple[float, list[Block]], None]:
        """The steps of one process. Raises ``UnreadableError`` and ``ChildDiedError``."""
        try:
            async with aclosing(child.read(path, ending, self.limits)) as steps:
                async for step in steps:
                    yield step
        finally:
            if child.usable and not self._closed:
                self._idle.append(child)
            else:
                await child.end()

    async def whole(self, path: Path, ending: str, owner: str = "") -> ParsedDocument:
        """A document as one object; one with more text than the limit is cut there. Raises ``UnreadableError``."""
        blocks: list[Block] = []
        try:
            async with aclosing(self.read(path, ending, owner)) as steps:
                async for _, more in steps:
                    blocks += more
        except _TooLongError:
            return ParsedDocument(tuple(blocks), truncated=True)
        return ParsedDocument(tuple(blocks))

    async def close(self) -> None:
        """End the processes that wait. Those at work end with their readers."""
        self._closed = True
        async with CloseStack() as stack:
            while self._idle:
                stack.call("a reader of documents", self._idle.pop().end)


class _TooLongError(UnreadableError):
    def __init__(self) -> None:
        super().__init__("invalid_file", TOO_LONG)


async def _beyond(
    given: int, steps: AsyncGenerator[tuple[float, list[Block]], None]
) -> AsyncGenerator[tuple[float, list[Block]], None]:
    """The steps without the first ``given`` blocks."""
    async with aclosing(steps):
        async for share, blocks in steps:
            kept = blocks[given:]
            given = max(0, given - len(blocks))
            if not given:
                yield share, kept


class _Child:
    """One process. ``usable``: it has said all it had to say, and may read on."""

    def __init__(self, process: Process, channel: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._documents = 0
        self.usable = True

    @classmethod
    async def start(cls) -> _Child:
        ours, its = socket.socketpair()
        with its, ExitStack() as unless_started:
            unless_started.enter_context(ours)
            process = await asyncio.create_subprocess_exec(
                *child_command("vivavoce.knowledge.parsing.child"),
                stdin=its.fileno(),
                stdout=PIPE,
                stderr=DEVNULL,
                env=child_environment(),
                limit=LINE_BYTES,
            )
            unless_started.pop_all()
        return cls(process, ours)

    async def read(
        self, path: Path, ending: str, limits: ParsingLimits
    ) -> AsyncGenerator[tuple[float, list[Block]], None]:
        self.usable = False
        await self._order(path, {"ending": ending, "limits": asdict(limits)})
        while True:
            words = await self._answer(limits.deadline_s)
            if "error" in words:
                self._done()
                raise UnreadableError(words["error"], words["message"])
            if words.get("end"):
                self._done()
                if words["truncated"]:
                    raise _TooLongError
                return
            yield words["read"], [Block(*fields) for fields in words["blocks"]]

    async def end(self) -> None:
        self._channel.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _done(self) -> None:
        self._documents += 1
        self.usable = self._documents < DOCUMENTS_EACH and self._resident_bytes() < IDLE_BYTES

    def _resident_bytes(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0  # it has ended, and says so when it is given the next document

    async def _order(self, path: Path, order: dict[str, Any]) -> None:
        with descriptor_of(path) as descriptor:
            try:
                send_order(self._channel, order, descriptor)
            except ConnectionError as error:
                raise ChildDiedError(await self._process.wait()) from error

    async def _answer(self, deadline_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(deadline_s):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise UnreadableError("invalid_file", TOO_SLOW) from error
        except ValueError as error:  # a line beyond the limit
            raise UnreadableError("invalid_file", TOO_LONG) from error
        if not line.endswith(b"\n"):
            code = await self._process.wait()
            if code == -signal.SIGXCPU:
                raise UnreadableError("invalid_file", TOO_SLOW)
            raise ChildDiedError(code)
        words: dict[str, Any] = json.loads(line)
        return words
