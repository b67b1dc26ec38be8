"""English numbers in words, and the patterns numbers are found by."""

from __future__ import annotations

import re

NUMBER = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?"
ALONE = r"(?<![A-Za-z0-9.])"
"""Nothing before it that would make it a part of something longer."""

OVER = r"(?![A-Za-z0-9]|[.,][0-9])"
"""Nothing behind it likewise."""

TO = r"[ ]*[-–—−][ ]*"
YEAR = r"(?:1[5-9]|20)[0-9]{2}"

MOST_DIGITS = 15
"""Longer numbers are said digit by digit."""

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_PLACES = (("trillion", 10**12), ("billion", 10**9), ("million", 10**6), ("thousand", 1000), ("hundred", 100))
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth"}


def digits(number: str) -> str:
    """Digit by digit; what is no digit parts the groups."""
    groups = (" ".join(DIGITS[int(digit)] for digit in group) for group in re.findall(r"[0-9]+", number))
    return ", ".join(groups)


def number(written: str) -> str:
    """A number as a quantity: ``1205`` → one thousand two hundred five, ``3.14`` → three point one four."""
    before, _, fraction = written.replace(",", "").partition(".")
    said = digits(before) if len(before) > MOST_DIGITS else whole_number(int(before or 0))
    return f"{said} point {digits(fraction)}" if fraction else said


def whole_number(value: int) -> str:
    """A whole number, below 10 ** 15, in words."""
    if value < 10:
        return DIGITS[value]
    if value < 20:
        return _TEENS[value - 10]
    if value < 100:
        tens, ones = divmod(value, 10)
        return _TENS[tens - 2] + (f"-{DIGITS[ones]}" if ones else "")
    name, size = next(place for place in _PLACES if value >= place[1])
    head, rest = divmod(value, size)
    return f"{whole_number(head)} {name}" + (f" {whole_number(rest)}" if rest else "")


def year(written: str) -> str:
    """``1990`` → nineteen ninety, ``2005`` → two thousand five, ``2024`` → twenty twenty-four."""
    century, rest = divmod(int(written), 100)
    if century == 20 and rest < 10:
        return whole_number(int(written))
    return f"{whole_number(century)} " + (
        "hundred" if not rest else f"oh {DIGITS[rest]}" if rest < 10 else whole_number(rest)
    )


def ordinal(value: int) -> str:
    """``21`` → twenty-first."""
    head, hyphen, last = whole_number(value).rpartition("-")
    said = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{head}{hyphen}{said}"
