"""Text → phonemes that never raises: what a front end cannot read is read word by word, then digit by digit.

Front ends are written for the text people write. Models and clients also send 37 digits in a row, circled numbers glued to
words, or marks nobody has seen; a reply must not end for one of them.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable
from typing import TypeAlias

log = logging.getLogger(__name__)

Phonemizer: TypeAlias = Callable[[str], str]
"""Phonemes of a text, punctuation kept."""

LONGEST_WORD = 60
"""Characters of a word that is read as one when its clause could not be read, or would take too long."""


def plain(word: str) -> str:
    """``word`` with every digit (of any script) alone, in ASCII, and marks that are no letters and no digits left out."""
    signs = (_plain_sign(char) for char in unicodedata.normalize("NFKC", word))
    return re.sub(r"\s+", " ", "".join(signs)).strip()


def _plain_sign(char: str) -> str:
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return f" {digit} "
    return char if char.isalpha() or unicodedata.category(char)[0] == "M" else " "


class SafePhonemizer:
    """A ``Phonemizer`` around one that may raise. What still cannot be read is left out, with a warning in the log."""

    def __init__(self, name: str, read: Phonemizer, *, words: bool = False) -> None:
        """``name`` is for the log. ``words`` says that blanks part words, of which none may be longer than ``LONGEST_WORD``:
        what a front end takes for one grows faster than its length."""
        self._name, self._read, self._bounded = name, read, words

    def __call__(self, text: str) -> str:
        """Phonemes of ``text``, of as much of it as can be read. Does not raise."""
        if self._bounded and any(len(word) > LONGEST_WORD for word in text.split()):
            return self._word_by_word(text)
        try:
            return self._read(text)
        except Exception as error:  # noqa: BLE001 (a text must not end a reply)
            log.warning("%s cannot read a clause (%s); it is read word by word", self._name, type(error).__name__)
        return self._word_by_word(text)

    def _word_by_word(self, text: str) -> str:
        words = (word[at : at + LONGEST_WORD] for word in text.split() for at in range(0, len(word), LONGEST_WORD))
        return " ".join(phonemes for word in words if (phonemes := self._word(word)))

    def _word(self, word: str) -> str:
        for tried in (word, plain(word)):
            try:
                return self._read(tried)
            except Exception as error:  # noqa: BLE001
                failure = error
        log.warning("%s leaves out a word it cannot read (%s)", self._name, type(failure).__name__)
        return ""
