"""Rules that replace what a pattern finds by words, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

Rule: TypeAlias = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
"""A pattern, and what stands in place of what it finds."""


def apply(rules: Sequence[Rule], text: str) -> str:
    """``text`` after every rule, in order."""
    for pattern, words in rules:
        text = pattern.sub(words, text)
    return text


def alternatives(words: Iterable[str]) -> str:
    """A pattern for one of ``words``, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def words(listed: str) -> list[str]:
    """The words of a text, which blanks part."""
    return listed.split()


def table(listed: str) -> dict[str, str]:
    """``written=said, written=said`` as a table."""
    entries = (entry.strip().partition("=") for entry in listed.split(","))
    return {key: value for key, _, value in entries if value}


HOST_ENDS = r"(?:com|org|net|io|ai|app|dev|edu|gov|info|co|uk|de|fr|jp|cn|eu|us|ca|au|me|tv)"
"""A pattern for the last part of an Internet host's name that people write without a scheme."""
