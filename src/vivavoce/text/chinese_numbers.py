"""Chinese numbers in characters, as quantities and digit by digit."""

from __future__ import annotations

DIGITS = "零一二三四五六七八九"
_MAGNITUDES = (("亿", 10**8), ("万", 10**4), ("千", 1000), ("百", 100), ("十", 10))
MAX_DIGITS = 16
"""Longer numbers are said digit by digit."""


def digits(number: str, word_for_one: str = "一") -> str:
    """Digit by digit; ``word_for_one`` is what 1 is called (幺 on the telephone). Other characters are left out."""
    return "".join(word_for_one if digit == "1" else DIGITS[int(digit)] for digit in number if "0" <= digit <= "9")


def number(figures: str) -> str:
    """A number as a quantity: ``1205`` → 一千二百零五, ``3.14`` → 三点一四. With zeros before it, or very long, by digits."""
    integer, _, fraction = figures.replace(",", "").partition(".")
    by_digits = len(integer) > MAX_DIGITS or (len(integer) > 1 and integer[0] == "0")
    words = digits(integer) if by_digits else _integer(int(integer or 0))
    return f"{words}点{digits(fraction)}" if fraction else words


def _integer(value: int) -> str:
    if value < 10:
        return DIGITS[value]
    name, size = next(place for place in _MAGNITUDES if value >= place[1])
    head, remainder = divmod(value, size)
    words = ("" if head == 1 and 10 <= value < 20 else _integer(head)) + name
    if not remainder:
        return words
    gap = "零" if remainder < size // 10 else ""
    ten = "一" if gap == "" and size > 10 and 10 <= remainder < 20 else ""
    return words + gap + (ten or ("一" if gap and 10 <= remainder < 20 else "")) + _integer(remainder)
