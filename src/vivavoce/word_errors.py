"""How far one text is from another, counted as it is heard and not as it is written.

Words are counted for languages written with spaces, characters for Chinese and Japanese. Both texts are first brought to
one form, since neither spelling nor punctuation is heard:

* Unicode NFKC, lower case; apostrophes dropped (``don't`` = ``dont``), all other punctuation separates words;
* English: ``mr``, ``mrs``, ``dr``, ``st`` in full; numbers up to 99 as words (``10`` = ``ten``), longer digit strings digit
  by digit (``911`` = ``nine one one``), so ``five five`` is neither ``55`` nor ``five``;
* Chinese and Japanese: digits one by one as 零…九; spaces dropped.
"""

from __future__ import annotations

import re
import unicodedata

import jiwer

from vivavoce.types import Language

WITHOUT_SPACES = frozenset({"zh", "ja"})

_ONES = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint"}
_HAN_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")


def units(text: str, language: Language) -> list[str]:
    """The words (characters for Chinese and Japanese) of ``text`` that count, in the form described above."""
    plain = re.sub("['’]", "", unicodedata.normalize("NFKC", text).lower())
    words = re.findall(r"[^\W_]+", plain)
    if language in WITHOUT_SPACES:
        return list("".join(words).translate(_HAN_DIGITS))
    return [part for word in words for part in _english(word)] if language == "en" else words


def _english(word: str) -> list[str]:
    if not (word.isascii() and word.isdigit()):
        return [_TITLES.get(word, word)]
    if len(word) > 2 or (len(word) == 2 and word[0] == "0"):
        return [_ONES[int(digit)] for digit in word]
    number = int(word)
    if number < len(_ONES):
        return [_ONES[number]]
    return [_TENS[number // 10 - 2], *([_ONES[number % 10]] if number % 10 else [])]


def count_errors(reference_text: str, hypothesis_text: str, language: Language) -> tuple[int, int]:
    """Substitutions, deletions and insertions from reference to hypothesis, and the length of the reference."""
    reference, hypothesis = units(reference_text, language), units(hypothesis_text, language)
    if not reference or not hypothesis:
        return len(reference) + len(hypothesis), len(reference)
    alignment = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    return alignment.substitutions + alignment.deletions + alignment.insertions, len(reference)
