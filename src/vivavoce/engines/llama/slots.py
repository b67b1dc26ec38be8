"""Which slot a reply uses, and when it is free."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import Future

from vivavoce.engines.llama.prompt_copies import common_prefix, prompt_head
from vivavoce.types import Message


class PrefixSlots:
    """The last native call of each slot, which are numbered from ``first`` on, and the prompt it left in the cache.

    Used from one event loop at a time. A claim is ``idle`` followed by ``occupy`` without an ``await`` between. ``long_heads``:
    the system messages at the beginning are longer than any call takes, so that a busy slot that has read them is waited for
    (reading some 700 tokens of tools again takes 8 s and more, a decision one).
    """

    def __init__(self, count: int, first: int = 0, *, long_heads: bool = False) -> None:
        slots = range(first, first + count)
        self._long_heads = long_heads
        self._jobs: dict[int, Future[None] | None] = dict.fromkeys(slots)
        self._prompts: dict[int, Sequence[Message]] = dict.fromkeys(slots, ())
        self._ages = dict.fromkeys(slots, 0)
        self._clock = 0

    @property
    def any_idle(self) -> bool:
        """Whether a call need not wait."""
        return any(job is None or job.done() for job in self._jobs.values())

    async def idle(self, requested: int | None, messages: Sequence[Message]) -> int:
        """Wait for slot ``requested``, or for any: then the idle one that has most of ``messages``, or the oldest.

        One that has just read these very messages is waited for: its call is being stopped, and any other had to read them. So
        is one that alone has the ``long_heads``.
        """
        candidates = tuple(self._jobs) if requested is None else (requested,)
        if requested is None and (same := tuple(slot for slot in candidates if self._prompts[slot] == tuple(messages))):
            candidates = same
        while True:
            running = {slot: job for slot in candidates if (job := self._jobs[slot]) is not None and not job.done()}
            free = [slot for slot in candidates if slot not in running]
            if free and not self._lack_the_head(free, running, messages):
                return max(free, key=lambda slot: (self.cached(slot, messages), -self._ages[slot]))
            waits = [asyncio.wrap_future(job) for job in running.values()]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)

    def occupy(self, slot: int, job: Future[None], messages: Sequence[Message]) -> None:
        """``job`` runs in ``slot`` until it is done."""
        self._clock += 1
        self._ages[slot] = self._clock
        self._jobs[slot] = job
        self._prompts[slot] = tuple(messages)

    def cached(self, slot: int, messages: Sequence[Message]) -> int:
        """How many of ``messages``, from the first on, this slot has read."""
        return common_prefix(self._prompts[slot], messages)

    def _lack_the_head(self, free: Iterable[int], running: Iterable[int], messages: Sequence[Message]) -> bool:
        """Whether what stands at the head of each prompt of this kind has been read by busy slots only."""
        head = len(prompt_head(messages))
        read = [max((self.cached(slot, messages) for slot in slots), default=0) for slots in (free, running)]
        return self._long_heads and 0 < head <= read[1] and read[0] < head
