"""Thoughts in the text of a reply, told from what is said. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vivavoce.engines.openai.tags import begun_tag
from vivavoce.types import TextDelta, ThinkingDelta

_TAGS = {"<think>": "</think>", "<thinking>": "</thinking>"}


class ThoughtSplitter:
    """Text as it comes in, thoughts and words out. Thoughts stand at the beginning: further behind, a tag is only a word.

    ``opened``: the text begins within them, as chat templates do that have written the tag themselves.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._held = ""
        self._closing = "</think>" if opened else ""
        self._said = self._after_thoughts = False

    def feed(self, text: str) -> Iterator[TextDelta | ThinkingDelta]:
        """More of the text; what may be part of a tag is held back."""
        self._held += text
        if not (self._said or self._closing):
            self._begin()
        if self._closing:
            yield from self._thoughts()
        if self._said:
            yield from self._words()

    def finish(self) -> Iterator[TextDelta | ThinkingDelta]:
        """There is no more."""
        held, self._held = self._held, ""
        if held and self._closing:
            yield ThinkingDelta(held)
        elif held and (self._said or held.strip()):
            yield TextDelta(held)

    def _begin(self) -> None:
        """Thoughts or words?"""
        start = self._held.lstrip()
        for tag, closing in _TAGS.items():
            if start.startswith(tag):
                self._closing, self._held = closing, start[len(tag) :]
                return
        self._said = bool(start) and not any(tag.startswith(start) for tag in _TAGS)

    def _thoughts(self) -> Iterator[ThinkingDelta]:
        thought, tag, rest = self._held.partition(self._closing)
        if tag:
            self._closing, self._held, self._said, self._after_thoughts = "", rest, True, True
        else:
            kept = begun_tag(thought, self._closing)
            self._held = thought[len(thought) - kept :]
            thought = thought[: len(thought) - kept]
        if thought:
            yield ThinkingDelta(thought)

    def _words(self) -> Iterator[TextDelta]:
        """The blank lines behind thoughts belong to neither."""
        if self._after_thoughts:
            self._held = self._held.lstrip()
            self._after_thoughts = not self._held
        if self._held:
            text, self._held = self._held, ""
            yield TextDelta(text)
