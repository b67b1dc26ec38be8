"""Where numbers are said in a text, every one of them. Pure.

Unlike ``inverse_normalized`` it is not conservative: it serves to compare what was said with what is known, so that every
number word is a number ("one of them" has a 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vivavoce.text.inverse.english_numbers import cardinal, digit, pair
from vivavoce.text.inverse.han import DIGITS, figures, value

_TOKEN = re.compile(r"[A-Za-z]+|-|[^\sA-Za-z-]")
_HAN_RUN = re.compile("[零〇幺一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+(?![十百分]))?")
_HAN_IDIOMS = re.compile(
    r"十分(?!钟|之)|千万(?![元人])|万一|一些|一下|一起|一样|一定|一般|一直|统一|唯一|星期[一二三四五六日]|周[一二三四五六日]"
)


@dataclass(frozen=True, slots=True)
class NumberSpan:
    """A number said from ``start`` to ``end``, in ``digits`` ("3.5 million" keeps its last word)."""

    start: int
    end: int
    digits: str


@dataclass(frozen=True, slots=True)
class _Words:
    """An English text as its number grammar reads it."""

    words: tuple[str, ...]

    def lower(self, at: int) -> str:
        return self.words[at].lower() if at < len(self.words) else ""

    def hyphen(self, at: int) -> bool:
        return self.lower(at) == "-"


def english_spans(text: str) -> Iterator[NumberSpan]:
    """The numbers in English words, in their order."""
    found = list(_TOKEN.finditer(text))
    read, at = _Words(tuple(match[0] for match in found)), 0
    while at < len(found):
        number, end = _english_number(read, at)
        if number is None:
            at += 1
            continue
        yield NumberSpan(found[at].start(), found[end - 1].end(), number)
        at = end


def han_spans(text: str) -> Iterator[NumberSpan]:
    """The numbers in Han characters, in their order; a bare 一 is a word, and so are the idioms."""
    idioms = [match.span() for match in _HAN_IDIOMS.finditer(text)]
    for match in _HAN_RUN.finditer(_without(text, idioms)):
        if (number := _han_number(match[0])) is not None:
            yield NumberSpan(*match.span(), number)


def _english_number(read: _Words, at: int) -> tuple[str | None, int]:
    run, end = "", at
    while (one := digit(read.lower(end), oh=bool(run))) is not None:
        run, end = run + one, end + 1
    if len(run) > 1 and read.lower(end) not in ("hundred", "thousand", "point"):
        return run, end
    for reading in (pair(read, at), cardinal(read, at)):
        if reading is not None:
            return reading.text, reading.end
    return None, at


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def _han_number(said: str) -> str | None:
    run, point, fraction = said.partition("点")
    if run == "一":
        return f"1.{figures(fraction)}" if point else None
    if len(run) > 1 and all(character in DIGITS for character in run):
        number = figures(run)
    else:
        counted = value(run, short=True)
        if counted is None:
            return None
        number = str(counted)
    return f"{number}.{figures(fraction)}" if point else number
