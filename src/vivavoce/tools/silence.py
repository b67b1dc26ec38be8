"""No dead air: a few words of ours where what is awaited takes its time, once a reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from vivavoce.hosted import HostedEvent
from vivavoce.tools.rendering import filler
from vivavoce.types import TextDelta


@dataclass(frozen=True, slots=True)
class Filler:
    """Words of ours to be said at once: something takes its time."""

    text: str


@dataclass(slots=True)
class SilenceWatch:
    """The silence of one reply. After ``filler_ms`` of it ``words`` are due (``None`` or no words: never).

    ``turn_over`` is set when the user's turn is over: silence before that is the user's own.
    """

    filler_ms: int | None
    words: str
    turn_over: asyncio.Event | None = None
    _since_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def begin(self) -> None:
        """From now on somebody waits."""
        self._since_s = asyncio.get_running_loop().time()

    async def ended(self, tasks: Collection[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """Those of ``tasks`` that have ended, at least one; none when it is time for words, which is so once at most."""
        loop = asyncio.get_running_loop()
        if self.filler_ms is None or not self.words.strip():
            return (await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))[0]
        if self.turn_over is not None and not self.turn_over.is_set():
            over = asyncio.ensure_future(self.turn_over.wait())
            try:
                done, _ = await asyncio.wait((*tasks, over), return_when=asyncio.FIRST_COMPLETED)
            finally:
                over.cancel()
            if done - {over}:
                return done - {over}
            self.begin()
        patience_s = max(self._since_s + self.filler_ms / 1000 - loop.time(), 0.0)
        done, _ = await asyncio.wait(tasks, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            self.filler_ms = None
        return done

    def filler(self) -> Filler:
        """The words, so that others can follow."""
        return Filler(filler(self.words))

    async def until_words(
        self, events: AsyncGenerator[HostedEvent, None]
    ) -> AsyncGenerator[HostedEvent | Filler, None]:
        """``events``, with a filler before their first text if that takes its time. Closing this closes them."""
        async with aclosing(events):
            while True:
                task = asyncio.ensure_future(anext(events, None))
                try:
                    while not await self.ended({task}):
                        yield self.filler()
                finally:
                    if not task.done():
                        task.cancel()
                        await asyncio.gather(task, return_exceptions=True)
                if (event := task.result()) is None:
                    return
                yield event
                if isinstance(event, TextDelta):
                    break
            async for event in events:
                yield event
