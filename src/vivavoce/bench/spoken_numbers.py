"""Numbers of an answer as digits, however they are said: ``forty-five euros eighty``, 四十五块八, ``half past six``. Pure.

Unlike ``vivavoce.text.inverse`` it is not conservative: it serves to compare what was said with what is known, so that every
number word is a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from unicodedata import normalize

from vivavoce.text.inverse.spans import NumberSpan, english_spans, han_spans
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
_NUMBER = re.compile(r"\d+(?:[.:]\d+)?")


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
    text = re.sub("(?<![十百千万零])一块", "1块", text)
    text = re.sub(
        r"百分之([零〇一二两三四五六七八九十百千万亿点\d]+)", lambda match: f"{_written(match[1], han_spans)}%", text
    )
    return _written(text, han_spans)


def _english(text: str) -> str:
    text = _TENTH_ORDINAL.sub(lambda match: f"{match[1]}-{'one' if match[2].lower() == 'first' else 'two'}", text)
    text = re.sub(r"[A-Za-z]+", lambda match: _ORDINALS.get(match[0].lower(), match[0]), text)
    return _written(text, english_spans)


def _written(text: str, spans: Callable[[str], Iterable[NumberSpan]]) -> str:
    written, copied = "", 0
    for span in spans(text):
        written += text[copied : span.start] + span.digits
        copied = span.end
    return written + text[copied:]
