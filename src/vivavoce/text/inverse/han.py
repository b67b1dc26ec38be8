"""Numbers in Han characters as digits, for Chinese and Japanese. Pure."""

from __future__ import annotations

import re

from vivavoce.text.rules import Rule

DIGITS = {character: str(value) for value, character in enumerate("零一二三四五六七八九")} | {"〇": "0", "幺": "1"}
DIGIT = "零〇幺一二三四五六七八九"
NUMERAL = "零〇幺一二两三四五六七八九十百千万亿億"
_PLACES = {"十": 10, "百": 100, "千": 1000}
_BIG = {"万": 10**4, "亿": 10**8, "億": 10**8}


def figures(run: str) -> str:
    """Digit by digit."""
    return "".join(DIGITS[character] for character in run)


def value(run: str, *, short: bool = False, leading: bool = False) -> int | None:
    """The quantity a run of numerals stands for; ``None`` where it is no well-formed number.

    ``short`` takes a last digit for the place below the one before it (三千五: 3500), ``leading`` a place without a digit
    for one of it (百円, 千二百), which Japanese writes so.
    """
    total, rest, lowest_big = 0, run, 10**12
    for name in ("亿", "億", "万"):
        head, found, tail = rest.partition(name)
        if not found:
            continue
        group = _group(head, short=False, leading=leading)
        if not group or _BIG[name] >= lowest_big:
            return None
        total, rest, lowest_big = total + group * _BIG[name], tail, _BIG[name]
    if not rest:
        return total or None
    if short and total and len(rest) == 1 and rest in DIGITS and rest not in "零〇":
        return total + int(DIGITS[rest]) * lowest_big // 10
    last = _group(rest, short=short, leading=leading)
    return None if last is None or (total and not last) else total + last


def _group(run: str, *, short: bool, leading: bool) -> int | None:
    """A number below ten thousand."""
    total, at, lowest, zero = 0, 0, 10_000, False
    while at < len(run):
        character = run[at]
        if character in "零〇" and (total or lowest < 10_000 or len(run) > 1):
            if zero:
                return None
            zero, at = True, at + 1
            continue
        place = _PLACES.get(run[at + 1], 1) if at + 1 < len(run) else 1
        if character in _PLACES:
            ten = character == "十" and (at == 0 or zero)
            if not (ten or leading) or _PLACES[character] >= lowest:
                return None
            total, lowest, at = total + _PLACES[character], _PLACES[character], at + 1
        else:
            digit = 2 if character == "两" else int(DIGITS[character]) if character in DIGITS else -1
            if digit < 0 or place >= lowest or (digit == 0 and len(run) > 1):
                return None
            if character == "两" and place == 10:
                return None
            if place == 1 and at + 1 < len(run):
                return None
            if place == 1 and short and not zero and lowest in (100, 1000):
                digit *= lowest // 10
            elif place == 1 and not zero and lowest in (100, 1000) and not leading:
                return None
            total, lowest, at = total + digit * place, place, at + (1 if place == 1 else 2)
        zero = False
    return None if zero else total


def typed_number(number: int, run: str) -> str:
    """``number`` in digits; a round number of 万 or 亿 keeps its name, as people type it (500万)."""
    named = run[-1] in _BIG and sum(character in _BIG for character in run) == 1
    return f"{number // _BIG[run[-1]]}{run[-1]}" if named else str(number)


def _ten_thousands(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{match[3] or '000'}"


TEN_THOUSANDS: Rule = (
    re.compile(r"(?<![0-9.])([1-9][0-9]{0,3})万([1-9])(?:千(?![0-9])|([0-9]{3})(?![0-9.]))"),
    _ten_thousands,
)
"""``3万5000`` and ``3万5千``, as a recogniser writes them half as digits, are ``35000``."""
