"""A continued reply without what it repeats of its beginning. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from vivavoce.types import GenerationEvent, TextDelta


class RepetitionFilter:
    """Models that are asked to go on may say all of ``prefix`` again, or leave out the space behind it."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._held = ""
        self._over = not prefix

    def filtered(self, events: Iterable[GenerationEvent]) -> Iterator[GenerationEvent]:
        """``events``; words that may be a repetition are held back."""
        for event in events:
            if self._over or not isinstance(event, TextDelta):
                yield event
            elif text := self._push(event.text):
                yield replace(event, text=text)

    def finish(self) -> Iterator[TextDelta]:
        """There is no more: what was held back was no repetition, unless it was all there is."""
        if self._held and not self._over:
            yield TextDelta(self._spaced(self._held))

    def _push(self, text: str) -> str:
        self._held += text
        start = self._held.lstrip()
        if self._prefix.startswith(start) and start != self._prefix:
            return ""
        self._over = True
        return start.removeprefix(self._prefix) if start.startswith(self._prefix) else self._spaced(self._held)

    def _spaced(self, text: str) -> str:
        """A word behind a word has a space before it, where words have spaces."""
        before, after = self._prefix[-1:], text[:1]
        words = (before.isascii() and (before.isalnum() or before in ",.;:!?")) and (
            after.isascii() and after.isalpha()
        )
        return f" {text}" if words else text
