"""Whether a value of a call can be what somebody said, in whose words it never is. Pure."""

from __future__ import annotations

import re

_DATE = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?$")
_CLOCK = re.compile(r"^\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?$", re.IGNORECASE)
_DATE_WORDS = re.compile(
    r"\d|\b(?:today|tonight|tomorrow|yesterday|next|this|mon|tues?|wed(?:nes)?|thurs?|fri|sat(?:ur)?|sun)(?:day)?\b|\bweek|\bmonth"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|first|second|third|\w+th\b"
    r"|今天|今晚|明天|后天|大后天|昨天|周|星期|礼拜|月|号|日|下个|这个|今日|明日|明後日|来週|今週|曜",
    re.IGNORECASE,
)
_CLOCK_WORDS = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight|half|quarter|morning|evening|afternoon)\b"
    r"|点|时|早|晚|中午|半|時|朝|夜|昼",
    re.IGNORECASE,
)
_WEEKDAYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        "mon(?:day)?s?\\b|(?:周|星期|礼拜)[一1]|月曜",
        "tue(?:s(?:day)?)?s?\\b|(?:周|星期|礼拜)[二2]|火曜",
        "wed(?:nes(?:day)?)?s?\\b|(?:周|星期|礼拜)[三3]|水曜",
        "thu(?:rs(?:day)?)?s?\\b|(?:周|星期|礼拜)[四4]|木曜",
        "fri(?:day)?s?\\b|(?:周|星期|礼拜)[五5]|金曜",
        "sat(?:ur(?:day)?)?s?\\b|(?:周|星期|礼拜)[六6]|土曜",
        "sun(?:day)?s?\\b|(?:周|星期|礼拜)[日天7]|日曜",
    )
)
_OTHER_DAY = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|week-?end|day after|in \w+ days|next day|asap|soon(?:est)?|earliest|any day)\b"
    r"|\b(?:\d{1,2}|\w+)(?:st|nd|rd|th) of\b|\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{1,2}[./-]\d{1,2}\b"
    r"|今天|今晚|明天|后天|大后天|周末|尽快|最早|随便|[\d一二三四五六七八九十][号日]|今日|明日|明後日|週末",
    re.IGNORECASE,
)
"""Ways to say a day without its name."""

SHORT_WORD = 3
"""Letters of a word of which none may be another one."""


def time_is_said(value: str, text: str, told: str = "") -> bool | None:
    """Whether ``text`` speaks of some day, or hour, where ``value`` is a date, a day of the week, or a time of day; ``None``:
    it is none. A day of the week may be named in what was ``told``, too."""
    if (weekday := next((day for day in _WEEKDAYS if day.match(value)), None)) is not None:
        return weekday.search(f"{text} {told}") is not None or _OTHER_DAY.search(text) is not None
    if _DATE.match(value):
        return _DATE_WORDS.search(text) is not None
    return _CLOCK_WORDS.search(text) is not None if _CLOCK.match(value) else None


def nearly_same(word: str, other: str) -> bool:
    """Whether two words are one edit apart at most; of short ones no letter is another."""
    if len(word) == len(other) <= SHORT_WORD:
        return word == other
    if abs(len(word) - len(other)) > 1:
        return False
    if len(word) > len(other):
        word, other = other, word
    at = next((index for index, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), len(word))
    return word[at + 1 :] == other[at + 1 :] or word[at:] == other[at + 1 :]
