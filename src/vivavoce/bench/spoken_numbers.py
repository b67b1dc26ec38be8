"""Numbers of an answer as digits, however they are said: ``forty-five euros eighty``, 四十五块八, ``half past six``. Pure.

Unlike ``vivavoce.text.inverse`` it is not conservative: it serves to compare what was said with what is known, so that every
number word is a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

from vivavoce.text.inverse.english_numbers import cardinal, digit, pair
from vivavoce.text.inverse.han import DIGITS, figures, value
from vivavoce.types import Language

SMALLEST = 3
"""Smaller numbers are ordinary words as often as figures ("one of them", 两个都可以) and are not checked."""

_ORDINALS = {
    "third": "three", "fourth": "four", "fifth": "five", "sixth": "six", "seventh": "seven", "eighth": "eight",
    "ninth": "nine", "tenth": "ten", "eleventh": "eleven", "twelfth": "twelve", "thirteenth": "thirteen",
    "fourteenth": "fourteen", "fifteenth": "fifteen", "sixteenth": "sixteen", "seventeenth": "seventeen",
    "eighteenth": "eighteen", "nineteenth": "nineteen", "twentieth": "twenty", "thirtieth": "thirty",
}  # fmt: skip
_TENTH_ORDINAL = re.compile(r"\b(twenty|thirty)[- ](first|second)\b", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z]+|-|[^\sA-Za-z-]")
_HAN_IDIOMS = re.compile(
    r"十分(?!钟|之)|千万(?![元人])|万一|一些|一下|一起|一样|一定|一般|一直|统一|唯一|星期[一二三四五六日]|周[一二三四五六日]"
)
_HAN_RUN = re.compile("[零〇幺一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+(?![十百分]))?")
_NUMBER = re.compile(r"\d+(?:[.:]\d+)?")


@dataclass(frozen=True, slots=True)
class _Words:
    """An English text as its number grammar reads it."""

    words: tuple[str, ...]

    def lower(self, at: int) -> str:
        return self.words[at].lower() if at < len(self.words) else ""

    def hyphen(self, at: int) -> bool:
        return self.lower(at) == "-"


def in_digits(text: str, language: Language) -> str:
    """``text`` in lower case with numbers, times and prices in digits: times of 24 hours as ``17:30``, prices as ``45.80``."""
    text = normalize("NFKC", text).replace("’", "'").replace("–", "-")
    text = _han(text) if language == "zh" else _english(text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text.lower())
    text = re.sub(r"(?<![\d-])\d(?:[- ]\d){2,}(?![\d:-]|\.\d)", lambda match: re.sub("[- ]", "", match[0]), text)
    return _prices(_times(text))


def with_afternoons(digits: str) -> str:
    """A text that ``in_digits`` made, and behind it its times as times of the afternoon: "twenty past two" may be 14:20."""
    times = re.findall(r"(?<!\d)([1-9]|1[01]):(\d\d)", digits)
    return " ".join([digits, *(f"{int(hours) + 12}:{minutes}" for hours, minutes in times)])


def numbers_of(digits: str) -> set[str]:
    """Every number of a text that ``in_digits`` made, without zeros that mean nothing; times as ``17:30``."""
    return {_plain(number) for number in _NUMBER.findall(_without_list_marks(digits))}


def ungrounded(answer: str, known: str) -> set[str]:
    """Numbers of ``answer`` that ``known`` does not have; both as ``in_digits`` makes them. Hours and whole euros count."""
    there = numbers_of(known)
    there |= {re.split("[.:]", number)[0] for number in there}
    return {number for number in numbers_of(answer) if not _is_known(number, there)}


def _is_known(number: str, there: set[str]) -> bool:
    if number in there or (number.isdigit() and int(number) < SMALLEST):
        return True
    hours, colon, minutes = number.partition(":")
    if colon:
        other = [str((int(hours) + shift) % 24) for shift in (0, 12)]
        return any(f"{hour}:{minutes}" in there or (minutes == "00" and hour in there) for hour in other)
    return f"{number}:00" in there or (number.isdigit() and f"{int(number) + 12}:00" in there)


def _plain(number: str) -> str:
    if ":" in number:
        hours, minutes = number.split(":")
        return f"{int(hours)}:{minutes}"
    integer, point, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    return (integer.lstrip("0") or "0") + (point + fraction if fraction else "")


def _without_list_marks(text: str) -> str:
    return re.sub(r"(?m)(^|\n|[:：] )\s*\d{1,2}[.)、] ", r"\1 ", text)


def _times(text: str) -> str:
    text = re.sub(r"\bhalf past (\d{1,2})\b", r"\1:30", text)
    text = re.sub(r"\b(?:a )?quarter to (\d{1,2})\b", lambda match: f"{int(match[1]) - 1}:45", text)
    text = re.sub(r"\b(\d{1,2}) past (\d{1,2})\b", lambda match: f"{match[2]}:{match[1]:0>2}", text)
    text = re.sub(r"\b(?:a )?quarter past (\d{1,2})\b", r"\1:15", text)
    text = re.sub(r"(\d{1,2})点半", r"\1:30", text)
    text = re.sub(r"(\d{1,2})点一刻", r"\1:15", text)
    text = re.sub(r"(\d{1,2})[点时](\d{1,2})分?", lambda match: f"{match[1]}:{match[2]:0>2}", text)
    text = re.sub(r"(\d{1,2})点钟?", r"\1:00", text)
    text = re.sub(r"\b(\d{1,2})[.](\d\d)(?= ?[ap]\.?m\b)", r"\1:\2", text)
    text = re.sub(r"\b(\d{1,2}) (\d\d)(?= ?[ap]\.?m\b)", r"\1:\2", text)
    text = re.sub(r"\b(\d{1,2})(?::(\d\d))? ?([ap])\.?m\b\.?", _of_24_hours, text)
    text = re.sub(r"\b(\d{1,2}) o'clock", r"\1:00", text)
    return re.sub(r"(下午|晚上|傍晚|中午)(\d{1,2}):(\d\d)", _afternoon, text)


def _of_24_hours(match: re.Match[str]) -> str:
    hour = int(match[1]) % 12 + (12 if match[3] == "p" else 0)
    return f"{hour}:{match[2] or '00'}"


def _afternoon(match: re.Match[str]) -> str:
    hour = int(match[2])
    return f"{match[1]}{hour + 12 if hour < 12 and not (match[1] == '中午' and hour > 9) else hour}:{match[3]}"


def _prices(text: str) -> str:
    text = re.sub(r"(\d+) (euros?|pounds?|dollars?),?(?: and)? (\d\d)(?: (?:cents?|pence))?\b", r"\1.\3 \2", text)
    text = re.sub(r"(\d+)[块元]零?0?(\d)分", r"\1.0\2元", text)
    text = re.sub(r"(\d+)[块元](\d)[角毛](\d)分", r"\1.\2\3元", text)
    text = re.sub(r"(\d+)[块元](\d)[角毛]?(?![\d.点元块])", r"\1.\g<2>0元", text)
    return re.sub(r"(\d)块钱?", r"\1元", text)


def _han(text: str) -> str:
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return "\0"

    text = re.sub("(?<![十百千万零])一块", "1块", _HAN_IDIOMS.sub(keep, text))
    text = re.sub(
        "百分之(" + _HAN_RUN.pattern + r"|\d+)", lambda match: f"{_HAN_RUN.sub(_han_number, match[1])}%", text
    )
    text = _HAN_RUN.sub(_han_number, text)
    return re.sub("\0", lambda _: kept.pop(0), text)


def _han_number(match: re.Match[str]) -> str:
    run, point, fraction = match[0].partition("点")
    if run == "一":
        return match[0] if not point else f"1.{figures(fraction)}"
    if len(run) > 1 and all(character in DIGITS for character in run):
        number = figures(run)
    else:
        counted = value(run, short=True)
        if counted is None:
            return match[0]
        number = str(counted)
    return f"{number}.{figures(fraction)}" if point else number


def _english(text: str) -> str:
    text = _TENTH_ORDINAL.sub(lambda match: f"{match[1]}-{'one' if match[2].lower() == 'first' else 'two'}", text)
    text = re.sub(r"[A-Za-z]+", lambda match: _ORDINALS.get(match[0].lower(), match[0]), text)
    found = list(_TOKEN.finditer(text))
    read = _Words(tuple(match[0] for match in found))
    written, copied, at = "", 0, 0
    while at < len(found):
        number, end = _english_number(read, at)
        if number is None:
            at += 1
            continue
        written += text[copied : found[at].start()] + number
        copied, at = found[end - 1].end(), end
    return written + text[copied:]


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
