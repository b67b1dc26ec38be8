"""How many syllables a text has, for how fast it was spoken. Pure; an estimate, the same for the same text."""

from __future__ import annotations

import re
import unicodedata

_SYLLABIC = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""A character of Chinese, Japanese or Korean is a syllable (small kana are few enough to be left)."""

_VOWELS = re.compile(r"[aeiouy]+")
_SILENT_E = re.compile(r"(?<=[^aeiouylw\W])e(s|d)?\b")


def syllables(text: str) -> int:
    """The syllables of ``text``: groups of vowels, and characters of scripts that write syllables. Digits count two each."""
    plain = unicodedata.normalize("NFD", text.lower())
    latin = "".join(character for character in plain if not unicodedata.combining(character))
    words = re.findall(r"[a-z']+", latin)
    spoken = sum(max(len(_VOWELS.findall(_SILENT_E.sub("", word))), 1) for word in words)
    return spoken + len(_SYLLABIC.findall(text)) + 2 * sum(character.isdigit() for character in text)
