"""Documents, read in child processes: a few are kept for many documents, and thrown away after a bad one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path

from vivavoce.children.command import ChildDiedError, ChildOvertimeError
from vivavoce.children.pool import ChildPool
from vivavoce.errors import EngineError
from vivavoce.knowledge.blocks import Block, ParsedDocument
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import MIB, ParsingLimits
from vivavoce.scheduling import Ticket, Urgency, WorkQueue

DOCUMENTS_PER_CHILD = 500
"""A process is replaced after so many, whatever its libraries may have kept."""

IDLE_BYTES = 100 * MIB
"""Memory a process may keep while it waits for the next document: libraries take half of it."""

TOO_SLOW = "The document takes too long to read."
CRASHED = "The document cannot be read: it is damaged, or its reader ran out of memory."
TOO_LONG = "The document holds more text than is read of one: cut it into several."


class Parsers:
    """Reads documents in at most ``capacity`` processes at once; more wait, and owners have theirs read in turn.

    While there are ``multiple_owners``, none has all processes.
    """

    def __init__(
        self,
        limits: ParsingLimits | None = None,
        *,
        capacity: int = 3,
        multiple_owners: Callable[[], bool] = lambda: False,
    ) -> None:
        self.limits = limits or ParsingLimits()
        self._queue = WorkQueue(capacity, multiple_owners=multiple_owners)
        self._children = ChildPool(
            "vivavoce.knowledge.parsing.child",
            "reading documents",
            capacity=capacity,
            max_idle=capacity,
            jobs_each=DOCUMENTS_PER_CHILD,
            idle_bytes=IDLE_BYTES,
        )

    async def read(
        self, path: Path, extension: str, owner: str = ""
    ) -> AsyncGenerator[tuple[float, list[Block]], None]:
        """The blocks of a document of ``owner``, and how much of it is read, as far as anybody knows.

        Closing the generator ends the reading. A process that dies on the way is replaced once, and what it had given is
        left out the second time. Raises ``UnreadableError``, also for a document with more text than the limit, once all
        that is allowed has come; ``EngineError``, retriable, when the second process was killed from outside, too.
        """
        limits = self.limits
        job = {
            "extension": extension,
            "limits": asdict(limits),
            "cpu_s": limits.cpu_s,
            "memory_bytes": limits.memory_mb * MIB,
        }
        truncated = False
        async with self._queue.turn(Ticket(Urgency.LONG, owner)):
            try:
                async with aclosing(self._children.answer(job, path, within_s=limits.deadline_s)) as frames:
                    async for header, _ in frames:
                        if "error" in header:
                            raise UnreadableError(header["code"], header["error"])
                        truncated = truncated or "truncated" in header
                        if "blocks" in header:
                            yield header["read"], [Block(*fields) for fields in header["blocks"]]
            except ChildOvertimeError as error:
                raise UnreadableError("invalid_file", TOO_SLOW) from error
            except ChildDiedError as death:
                if death.from_outside:
                    raise EngineError("documents", "their reading was ended from outside", retriable=True) from death
                raise UnreadableError("invalid_file", CRASHED) from death
        if truncated:
            raise _TooLongError

    async def read_all(self, path: Path, extension: str, owner: str = "") -> ParsedDocument:
        """A document as one object; one with more text than the limit is cut there. Raises ``UnreadableError``."""
        blocks: list[Block] = []
        try:
            async with aclosing(self.read(path, extension, owner)) as steps:
                async for _, batch in steps:
                    blocks += batch
        except _TooLongError:
            return ParsedDocument(tuple(blocks), truncated=True)
        return ParsedDocument(tuple(blocks))

    async def close(self) -> None:
        """End the processes that wait. Those at work end with their readers."""
        await self._children.close()


class _TooLongError(UnreadableError):
    def __init__(self) -> None:
        super().__init__("invalid_file", TOO_LONG)
