"""Which of several lines that say the same with other figures is valid: that of the newest document. Pure.

"The vaccination costs 52 euros" under "Fees from January 2025" is as near to a question as "58 euros" under "Fees from July
2026", and a small language model takes the one it reads first. Where headings or files' names tell dates, the older one is left
out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import TypeAlias

from vivavoce.knowledge.words import STOP_WORDS, searchable
from vivavoce.text.rules import words

Dated: TypeAlias = tuple[int, int, int]
"""Year, month and day; 0 where it is not told."""

LEAST_SHARED = 2
"""Words that two versions of a line have in common, figures aside; all of one of them, but for those that say it is new."""

_NEW = frozenset(
    words(
        """
        now new newly currently henceforth from since valid as per each every only
        现在 目前 如今 起 新 已 改为 现 每 每件 只
        """
    )
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATES = (
    re.compile(rf"{_YEAR}[-./年]\s?(?P<month>\d{{1,2}})(?:[-./月]\s?(?P<day>\d{{1,2}})(?!\d))?"),
    re.compile(rf"\b(?P<day>\d{{1,2}})[./](?P<month>\d{{1,2}})[./]{_YEAR}\b"),
    re.compile(rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? )?{_MONTH},? {_YEAR}\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? {_YEAR}\b", re.IGNORECASE),
    re.compile(rf"(?<!\d){_YEAR}(?!\d)"),
)
_DATE_ASKED = re.compile(
    r"\b(?:19|20)\d\d\b|\b(?:before|previous(?:ly)?|former(?:ly)?|earlier|until now|used to|old|last year|changed?)\b"
    r"|以前|之前|原来|原先|过去|去年|旧|从前|以往|変わ|前は|昔",
    re.IGNORECASE,
)
"""Questions about how it was."""


def newest_date(texts: Sequence[str], today: date) -> Dated | None:
    """The newest date that ``texts`` tell, if it is not still to come; ``None`` for none."""
    found = [when for text in texts if (when := _date_in(text)) is not None]
    now = (today.year, today.month, today.day)
    return max((when for when in found if when <= now), default=None)


def superseded(lines: Sequence[str], dates: Sequence[Dated | None], question: str) -> frozenset[int]:
    """Numbers of the ``lines`` that one with a newer one of the ``dates`` says otherwise; none where it is asked how it was."""
    if _DATE_ASKED.search(question):
        return frozenset()
    told = [_words(line) for line in lines]
    figures = [frozenset(re.findall(r"\d+(?:[.,]\d+)?", line)) for line in lines]
    old: set[int] = set()
    for one, other in combinations(range(len(lines)), 2):
        first, second = dates[one], dates[other]
        if first is None or second is None or first == second or not (figures[one] and figures[other]):
            continue
        shared = told[one] & told[other]
        one_is_the_other = not (told[one] - shared - _NEW and told[other] - shared - _NEW)
        if len(shared) >= LEAST_SHARED and one_is_the_other and figures[one] != figures[other]:
            old.add(one if first < second else other)
    return frozenset(old)


def _date_in(text: str) -> Dated | None:
    for pattern in _DATES:
        if match := pattern.search(text):
            told: Mapping[str, str | None] = match.groupdict()
            month = str(told.get("month") or 0).lower()
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
            return int(told["year"] or 0), number, int(told.get("day") or 0)
    return None


def _words(line: str) -> frozenset[str]:
    return frozenset(
        word for word in searchable(line).split() if word not in STOP_WORDS and not any(map(str.isdigit, word))
    )
