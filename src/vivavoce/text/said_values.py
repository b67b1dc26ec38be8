"""Whether a value of a call can be what somebody said, in whose words it never is. Pure."""

from __future__ import annotations

import re

_DATE = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?$")
_CLOCK = re.compile(r"^\d{1,2}:\d{2}(?::\d{2})?$")
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


def time_is_said(value: str, text: str) -> bool | None:
    """Whether ``text`` speaks of some day, or hour, where ``value`` is a date, or a time of day; ``None``: it is neither."""
    if _DATE.match(value):
        return _DATE_WORDS.search(text) is not None
    return _CLOCK_WORDS.search(text) is not None if _CLOCK.match(value) else None


def nearly_same(word: str, other: str) -> bool:
    """Whether two words are one edit apart at most."""
    if abs(len(word) - len(other)) > 1:
        return False
    if len(word) > len(other):
        word, other = other, word
    at = next((index for index, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), len(word))
    return word[at + 1 :] == other[at + 1 :] or word[at:] == other[at + 1 :]
