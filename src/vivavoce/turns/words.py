"""What counts as one word of what somebody said. Pure."""

from __future__ import annotations

import re

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:['’][^\W_]+)*")
"""A word; in Chinese and Japanese each character. Punctuation and case make no difference."""


def words_of(text: str) -> list[str]:
    """The words of ``text`` in lower case."""
    return [match.group().lower() for match in WORD.finditer(text)]
