"""The length a user asks an answer to have, and how long an answer is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import written_language
from vivavoce.types import Language

WORDS_PER_MINUTE, CHARACTERS_PER_MINUTE = 143, 230
"""How fast stories are told."""

LEAST, MOST = 20, 3000
"""Words or characters that are asked for; less is a matter of a sentence."""

LESS_THAN_ALL = 0.85
"""Of a length that is asked for as the most there may be."""

_MOST = re.compile(
    r"(?:at most|no more than|up to|under|less than|within|not over|maximum of)\s*$|(?:最多|不超过|不要超过|至多|少于)\s*$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<![\d.])(\d{2,4})[ -]words?\b|(?<![\d.])(\d{2,4})\s*(?:个)?(?:字|文字)(?!母)", re.IGNORECASE)
_MINUTES = re.compile(
    r"(?<![\d.])(\d{1,2}|an?|one|two|three|four|five|half a)[ -]minutes?[ -](?:long )?(?:story|tale|speech|talk"
    r"|text|poem|introduction|summary)"
    r"|\b(?:story|tale|speech|talk|text)[^.?!]{0,40}?\b(\d{1,2}|one|two|three|four|five|half a)[ -]minutes?\b"
    r"|([\d一二两三四五半]{1,2})分钟[^。？]{0,6}(?:故事|演讲|童话|介绍|文章|短文)|(\d{1,2}|[一二三四五])分(?:間)?の(?:話|物語|スピーチ)",
    re.IGNORECASE,
)
_HALVES = {"half a": 0.5, "半": 0.5}
_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
}
_LONGER = re.compile(
    r"\b(?:story|tale|poem|fairy ?tale|in detail|at length)\b|故事|童话|诗|详细|物語|童話|詳しく|お話", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-zÀ-ɏ0-9][\w'’-]*")
_CHARACTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff0-9]")


@dataclass(frozen=True, slots=True)
class Length:
    """So many ``units``: words, or where ``by_characters`` characters."""

    units: int
    by_characters: bool

    def of(self, text: str) -> int:
        """How long ``text`` is."""
        return len((_CHARACTER if self.by_characters else _WORD).findall(text))


def asked_length(text: str, language: Language) -> Length | None:
    """The length ``text`` asks for in figures, words or minutes; ``None`` where it asks for none."""
    typed = inverse_normalized(text, written_language(text) or language)
    by_characters = language in ("zh", "ja")
    if match := _WORDS.search(typed):
        units, by_characters = int(match[1] or match[2]), match[1] is None
        units = int(units * LESS_THAN_ALL) if _MOST.search(typed[: match.start()]) else units
    elif match := _MINUTES.search(text) or _MINUTES.search(typed):
        said = next(filter(None, match.groups())).lower()
        minutes = _HALVES.get(said) or _NUMBERS.get(said) or (float(said) if said.isdecimal() else 0)
        units = int(minutes * (CHARACTERS_PER_MINUTE if by_characters else WORDS_PER_MINUTE))
    else:
        return None
    return Length(units, by_characters) if LEAST <= units <= MOST else None


def wants_more(text: str) -> bool:
    """Whether ``text`` asks for something that is not told in a sentence or two."""
    return _LONGER.search(text) is not None
