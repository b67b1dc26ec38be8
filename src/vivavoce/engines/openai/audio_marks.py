"""The codec's tokens in what a Step-Audio model writes, told from its words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

CODEBOOK = 6561
"""Entries of the codec (3^8); what lies beyond is padding (models reference, 2.3)."""

_MARK = re.compile(r"<audio_(\d{1,6})>|<tts_(?:start|end|pad)>|<audio_(?:start|end|patch)>|<\|(?:EOT|BOT)\|>")
_BEGUN = re.compile(r"<\|?[A-Za-z_0-9]{0,14}\|?$")
"""What may become a mark with the next piece."""


class AudioMarks:
    """Text as it comes, with marks such as ``<audio_4218>`` among it; words, and runs of tokens, as they go."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> Iterator[str | tuple[int, ...]]:
        """More of the text; what may be half a mark is held back."""
        text = self._held + text
        begun = _BEGUN.search(text)
        end = begun.start() if begun is not None else len(text)
        self._held = text[end:]
        yield from _parts(text[:end])

    def finish(self) -> str:
        """There is no more: what was held back was no mark."""
        held, self._held = self._held, ""
        return held


def _parts(text: str) -> Iterator[str | tuple[int, ...]]:
    """Words and tokens in turns; marks that only say what follows are left out."""
    tokens: list[int] = []
    at = 0
    for mark in _MARK.finditer(text):
        if words := text[at : mark.start()]:
            if tokens:
                yield tuple(tokens)
                tokens = []
            yield words
        if mark[1] is not None and int(mark[1]) < CODEBOOK:
            tokens.append(int(mark[1]))
        at = mark.end()
    if tokens:
        yield tuple(tokens)
    if at < len(text):
        yield text[at:]
