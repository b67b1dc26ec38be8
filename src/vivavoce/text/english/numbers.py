"""English numbers in words, and the patterns numbers are found by."""

from __future__ import annotations

import re

NUMBER = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?"
ALONE = r"(?<![A-Za-z0-9.])"
"""Nothing before it that would make it a part of something longer."""

OVER = r"(?![A-Za-z0-9]|[.,][0-9])"
"""Nothing behind it likewise."""

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

TO = r"[ ]*[-–—−][ ]*"
YEAR = r"(?:1[5-9]|20)[0-9]{2}"

MAX_DIGITS = 15
"""Longer numbers are said digit by digit."""

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MAGNITUDES = (("trillion", 10**12), ("billion", 10**9), ("million", 10**6), ("thousand", 1000), ("hundred", 100))
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth"}


def digits(number: str) -> str:
    """Digit by digit; what is no digit parts the groups."""
    groups = (" ".join(DIGITS[int(digit)] for digit in group) for group in re.findall(r"[0-9]+", number))
    return ", ".join(groups)


def number(figures: str) -> str:
    """A number as a quantity: ``1205`` → one thousand two hundred five, ``3.14`` → three point one four."""
    before, _, fraction = figures.replace(",", "").partition(".")
    words = digits(before) if len(before) > MAX_DIGITS else cardinal(int(before or 0))
    return f"{words} point {digits(fraction)}" if fraction else words


def cardinal(value: int) -> str:
    """A whole number, below 10 ** 15, in words."""
    if value < 10:
        return DIGITS[value]
    if value < 20:
        return _TEENS[value - 10]
    if value < 100:
        tens, unit_digit = divmod(value, 10)
        return _TENS[tens - 2] + (f"-{DIGITS[unit_digit]}" if unit_digit else "")
    name, size = next(place for place in _MAGNITUDES if value >= place[1])
    head, remainder = divmod(value, size)
    return f"{cardinal(head)} {name}" + (f" {cardinal(remainder)}" if remainder else "")


def year(figures: str) -> str:
    """``1990`` → nineteen ninety, ``2005`` → two thousand five, ``2024`` → twenty twenty-four."""
    century, remainder = divmod(int(figures), 100)
    if century == 20 and remainder < 10:
        return cardinal(int(figures))
    return f"{cardinal(century)} " + (
        "hundred" if not remainder else f"oh {DIGITS[remainder]}" if remainder < 10 else cardinal(remainder)
    )


def ordinal(value: int) -> str:
    """``21`` → twenty-first."""
    head, hyphen, last = cardinal(value).rpartition("-")
    ordinal_word = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{head}{hyphen}{ordinal_word}"
