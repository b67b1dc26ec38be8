"""What slots have read, kept as files, so that another slot goes on from there: 413 tokens that two cores read in 6.4 s are
there after 45 ms (``benchmarks/generation.py``).

Kept are the heads of prompts (instructions and tools, which conversations share), and what a reply has read when it is thought
on beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile

from vivavoce.types import Message


@dataclass(frozen=True, slots=True)
class _Copy:
    messages: tuple[Message, ...]
    once: bool


class PromptCopies:
    """Names of copies by what they hold; the one unused for longest goes first when all are larger than ``limit_bytes``.

    ``size`` tells how large a copy is (0 while it is not written), ``remove`` deletes it.
    """

    def __init__(self, limit_bytes: int, size: Callable[[str], int], remove: Callable[[str], None]) -> None:
        self._limit_bytes = limit_bytes
        self._size = size
        self._remove = remove
        self._copies: dict[str, _Copy] = {}
        self._used: list[str] = []
        self._numbers = count()

    def nearest(self, messages: Sequence[Message], cached: int) -> str | None:
        """The copy that begins as ``messages`` do for more than ``cached`` of them, if there is one that is written.

        One that was made to be used once is not found again; it is removed with the next that is kept.
        """
        shared = {
            name: common_prefix(copy.messages, messages) for name, copy in self._copies.items() if self._size(name)
        }
        name = max(shared, key=shared.__getitem__, default=None)
        if name is None or shared[name] <= cached:
            return None
        copy = self._copies.pop(name)
        if copy.once:
            self._used.append(name)
        else:
            self._copies[name] = copy
        return name

    def reserve(self, messages: Sequence[Message], *, once: bool = False) -> str | None:
        """A name for the copy of what a slot has read of ``messages``; ``None`` if there is one, or none is to be.

        ``once``: it is used once.
        """
        while self._used:
            self._remove(self._used.pop())
        while self._copies and sum(map(self._size, self._copies)) > self._limit_bytes:
            oldest = next(iter(self._copies))
            del self._copies[oldest]
            self._remove(oldest)
        name = next((name for name, copy in self._copies.items() if copy.messages == tuple(messages)), "")
        if not self._limit_bytes or (name and self._size(name)):
            return None
        name = name or f"{next(self._numbers)}.slot"
        self._copies[name] = _Copy(tuple(messages), once)
        return name


def prompt_head(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The system messages a prompt begins with: instructions, and what stands for the tools."""
    return tuple(takewhile(lambda message: message.role == "system", messages))


def common_prefix(first: Sequence[Message], second: Sequence[Message]) -> int:
    """How many messages both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
