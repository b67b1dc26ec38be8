"""English number words as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vivavoce.text.inverse.english_words import BIG, DIGITS, TEENS, TENS


class Read(Protocol):
    """The words of a text."""

    def lower(self, at: int) -> str:
        """The word at ``at`` in lower case, or nothing."""

    def hyphen(self, at: int) -> bool:
        """Whether a hyphen that joins two words is at ``at``."""


@dataclass(frozen=True, slots=True)
class Cardinal:
    """A number in words up to ``end``; ``said`` counts them. ``compound``: its last two digits are two words, or "oh" is."""

    value: int
    end: int
    fraction: str = ""
    said: int = 1
    compound: bool = False
    million: str = ""

    @property
    def text(self) -> str:
        """In digits; a fraction of millions keeps their name."""
        number = f"{self.value}.{self.fraction}" if self.fraction else str(self.value)
        return f"{number} {self.million}" if self.million else number


def digit(word: str, *, oh: bool = False) -> str | None:
    """The figure of a word; with ``oh`` that of "oh", too."""
    if word in DIGITS:
        return str(DIGITS[word])
    return "0" if oh and word == "oh" else None


def below_hundred(read: Read, at: int, *, tens: bool = True) -> Cardinal | None:
    """A number from 0 to 99; with ``tens`` false none of two words."""
    word = read.lower(at)
    if word in DIGITS:
        return Cardinal(DIGITS[word], at + 1)
    if word in TEENS:
        return Cardinal(TEENS[word], at + 1)
    if word not in TENS:
        return None
    last = at + 1 + read.hyphen(at + 1)
    if tens and DIGITS.get(read.lower(last), 0) >= 1:
        return Cardinal(TENS[word] + DIGITS[read.lower(last)], last + 1, said=2, compound=True)
    return Cardinal(TENS[word], at + 1)


def cardinal(read: Read, at: int, *, tens: bool = True) -> Cardinal | None:
    """The number in words from ``at`` on. ``a`` is one where more of the number follows its hundred or thousand."""
    article = read.lower(at) == "a" and read.lower(at + 1) in ("hundred", "thousand")
    total, group, end, said = 0, 1 if article else -1, at + 1 if article else at, 0
    while True:
        word = read.lower(end)
        if word == "hundred" and 0 < group < 100:
            group, end, said = group * 100, end + 1, said + 1
        elif word in BIG and group > 0 and (total == 0 or BIG[word] * 1000 <= _lowest(total)):
            total, group, end, said = total + group * BIG[word], 0, end + 1, said + 1
        else:
            bridge = end + (word == "and" and said > 0 and (group >= 100 or (group == 0 and total > 0)))
            room = group < 0 or (group >= 100 and group % 100 == 0) or (group == 0 and total > 0)
            part = below_hundred(read, bridge, tens=tens) if room else None
            if part is None or (group >= 0 and part.value == 0) or (group == 0 and bridge > end and part.value >= 100):
                break
            group, end, said = max(group, 0) + part.value, part.end, said + part.said
    if group < 0 or (article and said < 2 and read.lower(end) not in ("percent",)):
        return None
    if read.lower(end) == "point" and not article:
        return _decimal(read, total + group, end, said)
    return Cardinal(total + group, end, said=said)


def _lowest(total: int) -> int:
    """The scale of the last part of ``total``."""
    return next(scale for scale in sorted(BIG.values()) if total % (scale * 1000))


def _decimal(read: Read, value: int, at: int, said: int) -> Cardinal:
    figures, end = "", at + 1
    while (figure := digit(read.lower(end), oh=bool(figures))) is not None:
        figures, end = figures + figure, end + 1
    if not figures:
        return Cardinal(value, at, said=said)
    big = read.lower(end)
    if big in BIG and big != "thousand":
        return Cardinal(value, end + 1, figures, said + 2, million=big)
    return Cardinal(value, end, figures, said + 2)


def pair(read: Read, at: int) -> Cardinal | None:
    """Two numbers of two digits said as one: ``twenty twenty four``, ``nineteen oh five``, ``eighteen hundred``."""
    first = read.lower(at)
    century = TEENS.get(first, TENS.get(first, 0))
    if century < 10:
        return None
    if read.lower(at + 1) == "hundred" and first in TEENS:
        return Cardinal(century * 100, at + 2, compound=True)
    if read.lower(at + 1) == "oh" and (last := digit(read.lower(at + 2))):
        return Cardinal(century * 100 + int(last), at + 3, compound=True)
    second = below_hundred(read, at + 1)
    if second is None or second.value < 10:
        return None
    return Cardinal(century * 100 + second.value, second.end, compound=second.compound)
