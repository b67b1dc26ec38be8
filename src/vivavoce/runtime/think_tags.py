"""Models that think write ``<think>…</think>`` before their answer: that is thought, not words."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from vivavoce.types import GenerationEvent, TextDelta, ThinkingDelta, ThinkingEnd

OPENING, CLOSING = "<think>", "</think>"


class ThinkTags:
    """Sorts the text of one answer, piece by piece. Only an answer that begins with the tag has thoughts in it."""

    def __init__(self) -> None:
        self._held = ""
        self._where = "before"

    def push(self, text: str) -> list[GenerationEvent]:
        """More text, as the thoughts and words it is; what may be half a tag is held back."""
        if self._where == "words":
            return [TextDelta(text)] if text else []
        self._held += text
        events: list[GenerationEvent] = []
        if self._where == "before":
            start = self._held.lstrip()
            if OPENING.startswith(start):  # not enough to tell
                if start != OPENING:
                    return []
                self._held, self._where = "", "thoughts"
            elif start.startswith(OPENING):
                self._held, self._where = start[len(OPENING) :], "thoughts"
            else:
                held, self._held, self._where = self._held, "", "words"
                return [TextDelta(held)]
        return events + self._thoughts()

    def flush(self) -> list[GenerationEvent]:
        """What was held back, when the answer is over."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [ThinkingDelta(held)] if self._where == "thoughts" else [TextDelta(held)]

    def _thoughts(self) -> list[GenerationEvent]:
        thought, tag, rest = self._held.partition(CLOSING)
        if tag:
            self._held, self._where = "", "words"
            words = rest.lstrip()
            thoughts: list[GenerationEvent] = [ThinkingDelta(thought)] if thought else []
            return [*thoughts, ThinkingEnd(), *([TextDelta(words)] if words else [])]
        kept = next((size for size in range(len(CLOSING) - 1, 0, -1) if self._held.endswith(CLOSING[:size])), 0)
        ready, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return [ThinkingDelta(ready)] if ready else []


async def without_tags(events: AsyncGenerator[GenerationEvent, None]) -> AsyncGenerator[GenerationEvent, None]:
    """What a model yields, with its tagged thoughts as ``ThinkingDelta``, and a ``ThinkingEnd`` where its thoughts end."""
    tags, thinks = ThinkTags(), False
    async with aclosing(events):
        async for event in events:
            sorted_events = tags.push(event.text) if isinstance(event, TextDelta) else [*tags.flush(), event]
            for sorted_event in sorted_events:
                if thinks and not isinstance(sorted_event, ThinkingDelta | ThinkingEnd):
                    yield ThinkingEnd()
                thinks = isinstance(sorted_event, ThinkingDelta)
                yield sorted_event
