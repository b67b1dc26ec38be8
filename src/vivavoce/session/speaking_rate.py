"""How fast a voice speaks, where its words come before their sound: a hosted model writes ahead of what it says."""

from __future__ import annotations

import re

CHARACTER_MS = 60.0
"""Of English, spaces included, until the voice has been heard: about 160 words a minute."""

SYLLABLE = 3.5
"""A Chinese or Japanese character takes as long as so many others."""

MIN_CHARACTERS = 30
"""Less text tells nothing of how fast it is spoken."""

_SYLLABLES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


class SpeakingRate:
    """Of one conversation, learnt from what was said in it."""

    def __init__(self) -> None:
        self._character_ms = CHARACTER_MS

    def ms_of(self, text: str) -> float:
        """About how long ``text`` takes to say."""
        return _characters(text) * self._character_ms

    def heard(self, text: str, ms: float) -> None:
        """So long took ``text``."""
        if _characters(text) >= MIN_CHARACTERS and ms > 0:
            self._character_ms = (self._character_ms + ms / _characters(text)) / 2


def _characters(text: str) -> float:
    return len(text) + (SYLLABLE - 1) * len(_SYLLABLES.findall(text))
