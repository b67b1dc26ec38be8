"""The words ZipVoice knows. What is not among them it leaves out without a word, so somebody has to look before."""

from __future__ import annotations

import re
from pathlib import Path

from vivavoce.types import Language

_LATIN = re.compile(r"[a-z]+(?:'[a-z]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_LONGEST = 8
"""Characters of a Chinese word that is looked for; longer words are made of shorter ones."""


class Lexicon:
    """The first column of ``lexicon.txt``."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8", errors="replace") as lines:
            self._words = frozenset(first[0].lower() for line in lines if (first := line.split(maxsplit=1)))

    @property
    def languages(self) -> frozenset[Language]:
        """English needs Latin words of more than one letter; upstream's own generator writes Chinese ones only."""
        spoken: set[Language] = set()
        if any(len(word) > 1 and _LATIN.fullmatch(word) for word in self._words):
            spoken.add("en")
        if any(_HAN.fullmatch(word) for word in self._words):
            spoken.add("zh")
        return frozenset(spoken)

    def knows(self, text: str) -> bool:
        """Whether there is a word in ``text`` that is known. Punctuation is none."""
        text = text.lower()
        return any(word in self._words for word in _LATIN.findall(text)) or any(
            run[start : start + length] in self._words
            for run in _HAN.findall(text)
            for start in range(len(run))
            for length in range(1, _LONGEST + 1)
        )
