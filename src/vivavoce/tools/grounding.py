"""Answers held to what was found: numbers, prices, dates and a yes are checked before they are spoken. Pure.

It is no second opinion of the model but a comparison: a number of an answer stands in the passages or in the conversation, or
follows from one by a rule of speech (a clock of twelve hours, euros and cents apart); a yes does not meet a line that denies
what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vivavoce.knowledge.words import searchable, terms_of
from vivavoce.text.inverse import inverse_normalized
from vivavoce.types import Language

_UNIT_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_UNITS = {word: number for number, word in enumerate(_UNIT_WORDS)}
_TENS = {word: 20 + 10 * number for number, word in enumerate(_TENS_WORDS)}
_NUMBER_WORD = rf"(?:{'|'.join((*_UNIT_WORDS, *_TENS_WORDS, *_SCALES, 'point', 'half', 'dozen'))})"
CODE_DIGITS = 3
"""Digits said one by one that make one number."""

_HAN_DIGITS = "零〇一二两三四五六七八九十百千万亿"
_HAN_UNITS = "天个月年元块角分秒小时钟点号日周岁度米斤公里平升克倍折期层楼位人次件张份晚間時円歳階名"
_SPOKEN = re.compile(
    rf"\b{_NUMBER_WORD}(?:[ -](?:and )?{_NUMBER_WORD})*\b|[{_HAN_DIGITS}]{{2,}}(?:点[{_HAN_DIGITS}]+)?"
    rf"|[{_HAN_DIGITS}](?=[{_HAN_UNITS}])",
    re.IGNORECASE,
)
_TYPED = re.compile(r"(?<!\d)\d(?:[- ]\d(?!\d)){2,}|\d+(?:[.,:]\d+)*")
"""A code in single digits is one number."""

_OPEN_END = re.compile(
    rf"(?:(?:\b{_NUMBER_WORD}\b|\d[\d.,:/]*|[{_HAN_DIGITS}\d.:点]+)(?:[ -]|\band\b)*)+[^\s\d]{{0,12}}$|[^\s\u3040-\u9fff]+$",
    re.IGNORECASE,
)
"""An end that may still become another number: it waits for the words behind it."""

_YES = re.compile(
    r"^\W*(?:yes\b|yeah\b|sure\b|of course\b|certainly\b|是的|可以|能的|有的|对[，,。]|当然|はい)", re.IGNORECASE
)
HONEST: Mapping[Language, str] = {
    "en": "The documents don't say anything about that.",
    "zh": "这个文件里没有写。",
    "ja": "それは資料に書かれていません。",
}
"""What is said where nothing was found."""

_DECLINES = re.compile(
    r"^\W*(?:i(?:'|’| a)m (?:very )?sorry|sorry\b|i apologi[sz]e|unfortunately, i|i (?:do not|don['’]t) (?:have|know)"
    r"|the documents don"
    r"|(?:很|非常)?抱歉|对不起|我(?:没有|不知道|无法)|这个文件里没有|申し訳|それは資料に)",
    re.IGNORECASE,
)
"""How a small model declines. It copies its own words from turn to turn, whatever is asked."""

_BEGINNINGS = (
    "i'm sorry", "i'm very sorry", "i am sorry", "i am very sorry", "sorry", "i apologi", "unfortunately, i", "i don't have",
    "i don't know", "i do not have", "i do not know", "the documents don",
    "抱歉", "很抱歉", "非常抱歉", "对不起", "我没有", "我不知道", "我无法", "这个文件里没有", "申し訳", "それは資料に",
)  # fmt: skip
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]?")
_ENDED = re.compile(r"[.!?。！？]\s*$|[.!?。！？]\s")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_LETTERS = re.compile(r"[^\W\d_]{3}")
SCRIPT_TELLS = 8
"""Characters of an answer by which its language shows."""

LEAST_COPIED = 10
"""Characters of a sentence that is a copy when it is said again; shorter ones ("Yes.") are said often."""

_DENIES = re.compile(
    r"\b(?:no|not|never|closed|except|excluded|without|cannot|can't|don't|doesn't|isn't|aren't|won't|neither|nor|unavailable"
    r"|forbidden|prohibited|non)\b|n't\b|不|没|未|关门|休息|停业|除外|禁止|无法|休业|定休|ません|ない|不可|禁",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"^\W*([^:：|]+)[:：|]\s*([^:：|]+)\W*$")
"""A row or an entry: ``Sunday: closed`` has its answer behind the mark."""

_PART = re.compile(r"[^,;:.!?，；：。！？\n|()（）]+")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer rests on. ``numbers`` are those of passages and conversation, ``lines`` the passages' lines nearest to
    ``question``, the nearest first; ``sure``: they have the answer; ``searched``: something was looked for at all.
    ``earlier`` are the first sentences of what the assistant has said before, as ``sentence_key`` has them; ``language`` is the
    one to answer in, where a script tells it from others."""

    numbers: frozenset[float]
    lines: tuple[str, ...]
    question: str
    sure: bool = False
    searched: bool = True
    earlier: frozenset[str] = frozenset()
    language: Language = ""


def evidence_of(texts: Sequence[str], lines: Sequence[str], question: str, *, sure: bool = False) -> Evidence:
    """The evidence in ``texts``: passages, what was said, results of functions, instructions."""
    found = {number for text in (*texts, question) for number in numbers_of(text)}
    return Evidence(frozenset(number for one in found for number in _spoken_as(one)), tuple(lines), question, sure)


@dataclass(slots=True)
class AnswerCheck:
    """Reads an answer along. ``fault`` is what contradicts, or is nowhere; from then on nothing more is let through. An answer
    that declines (``declined``) is a fault where something was looked for, or repeats itself; ``may_decline`` lets it be."""

    evidence: Evidence
    fault: str = ""
    declined: bool = False
    may_decline: bool = False
    text: str = field(default="")
    _waiting: str = field(default="")

    def push(self, text: str) -> str:
        """As much of the answer as can be spoken: a number waits until it is whole."""
        if self.fault:
            return ""
        self._waiting += text
        if not self.text.strip() and self._in_other_language():
            return ""
        if not (self.text.strip() or self.may_decline) and (
            _may_decline(self._waiting, self.evidence) or self._declines()
        ):
            return ""
        end = (
            _OPEN_END.search(self._waiting) if self.evidence.searched else None
        )  # no number is held against anything else
        return self._settle(end.start() if end else len(self._waiting))

    def flush(self) -> str:
        """The rest."""
        return "" if self.fault else self._settle(len(self._waiting))

    def _in_other_language(self) -> bool:
        """Whether what has begun is in another script than the answer should be, or too short to tell."""
        if not self.evidence.searched or self.evidence.language not in ("en", "zh", "ja"):
            return False
        begun = self._waiting.strip()
        if len(begun) < SCRIPT_TELLS and not _ENDED.search(begun):
            return True
        other = not has_cjk(begun) if self.evidence.language != "en" else _CJK.match(begun) is not None
        if other and _LETTERS.search(begun):
            self.fault = begun
        return bool(self.fault)

    def _declines(self) -> bool:
        """Whether what has begun is a refusal, or a copy of what was said before, that is not to be."""
        declines = self.evidence.searched and _DECLINES.search(self._waiting) is not None
        copies = _ENDED.search(self._waiting) is not None and sentence_key(self._waiting) in self.evidence.earlier
        if declines or copies:
            self.fault, self.declined = self._waiting.strip(), declines
        return declines or copies

    def _settle(self, end: int) -> str:
        settled = self._waiting[:end]
        if not self.evidence.searched:
            self.text, self._waiting = self.text + settled, self._waiting[end:]
            return settled
        if not self.text.strip() and _YES.search(settled) and (line := denying_line(self.evidence)):
            self.fault = line
            return ""
        for start, number in _numbers_at(settled):
            if not (number in self.evidence.numbers or number == 1):
                self.fault = settled[start:]
                settled = settled[:start]
                break
        self.text += settled
        self._waiting = self._waiting[end:]
        return settled


def has_cjk(text: str) -> bool:
    """Whether Chinese or Japanese is written in it."""
    return _CJK.search(text) is not None


def sentence_key(text: str) -> str:
    """The first sentence without marks and case, by which it is known again; nothing for a short one."""
    found = _SENTENCE.match(text.strip())
    key = re.sub(r"\W", "", found[0]).casefold() if found else ""
    return key if len(key) >= (LEAST_COPIED if key.isascii() else LEAST_COPIED // 2) else ""


def _may_decline(begun: str, evidence: Evidence) -> bool:
    """Whether words that have just begun may still become a refusal, or a copy of an earlier sentence."""
    words = begun.strip().lower().replace("’", "'")
    if evidence.searched and any(beginning.startswith(words) for beginning in _BEGINNINGS):
        return True
    key = re.sub(r"\W", "", words)
    return not _ENDED.search(begun) and any(sentence.startswith(key) for sentence in evidence.earlier)


def denying_line(evidence: Evidence) -> str:
    """The nearest line, if the part of it that tells what is asked denies it; else nothing."""
    asked = set(map(_stem, terms_of(evidence.question)))
    if not asked or not evidence.lines or _DENIES.search(evidence.question.replace("don't like", "")):
        return ""
    line = evidence.lines[0]
    parts = [(len(asked & set(map(_stem, searchable(part).split()))), part) for part in _PART.findall(line)]
    shared = max((count for count, _ in parts), default=0)
    nearest = [part for count, part in parts if shared and count == shared]
    numbers = set(numbers_of(evidence.question))
    if any(_DENIES.search(part) and numbers <= set(numbers_of(part)) for part in nearest):
        return line
    entry = _ENTRY.match(line)
    if entry and asked & set(map(_stem, searchable(entry[1]).split())) and _DENIES.search(entry[2]):
        return line if numbers <= set(numbers_of(line)) else ""
    return ""


def _stem(word: str) -> str:
    return word[:5] if word.isascii() else word


def numbers_of(text: str) -> list[float]:
    """All numbers of ``text``, typed or spoken."""
    return [number for _, number in _numbers_at(text)] + [
        number for _, number in _numbers_at(inverse_normalized(text, None))
    ]


def _numbers_at(text: str) -> Iterator[tuple[int, float]]:
    found = [(match.start(), value) for match in _TYPED.finditer(text) for value in _values(match[0])]
    found += [(match.start(), value) for match in _SPOKEN.finditer(text) for value in _spoken_values(match[0])]
    yield from sorted(found)


def _values(typed: str) -> list[float]:
    """``1,299.90`` is one number; ``9:30`` and ``03.04.2024`` are their parts."""
    plain = re.sub(r",(?=\d{3}\b)|[- ]", "", typed)
    if re.fullmatch(r"\d+[.,]\d+", plain):
        return [float(plain.replace(",", "."))]
    return [float(part) for part in re.split(r"[.,:]", plain) if part]


def _spoken_values(spoken: str) -> list[float]:
    """``forty-five`` is one number, ``five thirty`` two; halves and a bare ``one`` are none."""
    if spoken[0] in _HAN_DIGITS:
        value = _han_value(spoken)
        return [] if value is None else [value]
    words = [word for word in re.split(r"[ -]", spoken.lower()) if word != "and"]
    if set(words) & {"point", "half", "dozen"} or words == ["one"]:
        return []
    if len(words) >= CODE_DIGITS and all(_UNITS.get(word, 10) < 10 for word in words):
        return [float("".join(str(_UNITS[word]) for word in words))]
    numbers, total, part = list[float](), 0.0, 0.0
    for word in words:
        if (scale := _SCALES.get(word)) is not None:
            part = (part or 1) * scale
            total, part = (total, part) if scale == 100 else (total + part, 0.0)
            continue
        value = _UNITS.get(word, _TENS.get(word, 0))
        if part % 100 > 0 and not (part % 100 >= 20 and value < 10 and part % 10 == 0):
            numbers.append(total + part)
            total, part = 0.0, 0.0
        part += value
    return [*numbers, total + part]


def _han_value(spoken: str) -> float | None:
    typed = inverse_normalized(spoken + "元", "zh")
    match = re.match(r"\d+(?:\.\d+)?", typed)
    if match:
        return float(match[0])
    return float("零一二三四五六七八九十".index(spoken)) if spoken in "零一二三四五六七八九十" else None


def _spoken_as(number: float) -> Iterator[float]:
    """The numbers one is spoken with: itself, by a clock of twelve hours, and euros and cents apart."""
    yield number
    if 12 < number <= 24:
        yield number - 12
    if number != int(number):
        yield float(int(number))
        yield float(round((number - int(number)) * 100))
        yield float(round((number - int(number)) * 10))
    if number == int(number) and 1000 <= number <= 9999:
        yield from (number // 100, number % 100)
