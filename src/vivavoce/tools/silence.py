"""No dead air: a few words of ours where what is awaited takes its time, once a reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from vivavoce.hosted import HostedEvent
from vivavoce.sound import SpokenAudio, SpokenText
from vivavoce.tools.rendering import filler
from vivavoce.types import TextDelta


@dataclass(frozen=True, slots=True)
class Filler:
    """Words of ours to be said at once: something takes its time."""

    text: str


LEAST_PATIENCE_S = 0.2
"""From the end of a turn that was waited for long: an answer that is about to come needs no announcement."""


class TurnEnd(asyncio.Event):
    """Set when the user's turn is over, who has been silent since ``silent_since`` (``time.monotonic``)."""

    silent_since: float | None = None

    def over(self, silent_since: float | None) -> None:
        """The turn is over."""
        self.silent_since = silent_since
        self.set()


@dataclass(slots=True)
class SilenceWatch:
    """The silence of one reply. After ``filler_ms`` of it ``words`` are due (``None`` or no words: never).

    It counts from when the user fell silent, as they hear it, but is not filled before their turn is over (``turn_over``).
    """

    filler_ms: int | None
    words: str
    turn_over: TurnEnd | None = None
    _since_s: float = field(default_factory=monotonic)
    _least_until_s: float = 0.0

    def __post_init__(self) -> None:
        if self.turn_over is not None and self.turn_over.is_set():
            self._begin(self.turn_over)

    async def ended(self, tasks: Collection[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """Those of ``tasks`` that have ended, at least one; none when it is time for words, which is so once at most."""
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
            self._begin(self.turn_over)
        due_s = max(self._since_s + self.filler_ms / 1000, self._least_until_s)
        patience_s = max(due_s - monotonic(), 0.0)
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
                if isinstance(event, TextDelta | SpokenText | SpokenAudio):
                    break
            async for event in events:
                yield event
            self._since_s = monotonic()

    def _begin(self, turn_over: TurnEnd) -> None:
        """Somebody waits."""
        if turn_over.silent_since is not None:
            self._since_s = turn_over.silent_since
            self._least_until_s = monotonic() + LEAST_PATIENCE_S
        else:
            self._since_s = monotonic()
