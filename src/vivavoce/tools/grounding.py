"""Answers held to what was found: numbers, prices, dates and a yes are checked before they are spoken. Pure.

It is no second opinion of the model but a comparison: a number of an answer stands in the passages or in the conversation, or
follows from one by a rule of speech (a clock of twelve hours, euros and cents apart); a yes does not meet a line that denies
what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vivavoce.knowledge.words import searchable, terms_of
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.inverse.spans import english_spans, han_spans
from vivavoce.types import Language

_NUMBER_WORD = (
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|[mb]illion|point|half|dozen)"
)
_FIGURES = re.compile(r"\d+(?:\.\d+)?")
"""A number without the name of a million."""

_HAN_DIGITS = "零〇一二两三四五六七八九十百千万亿"
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
_AFFIRMS = re.compile(
    r"^\W*(?:you|we|they|it|he|she|that|this|they're|it's|we're) (?:can|may|do|does|are|is|will|have|has|offer|accept|allow)\b"
    r"|^(?:[^，。！？,.!?不没无未]{0,8}?)(?:可以|能够|能|会|支持|接受|提供|允许|有|开门|营业)|^\W*(?:行|没问题|好的)",
    re.IGNORECASE,
)
"""An answer that begins like a yes without the word; it is one if nothing in its sentence denies or limits."""

_POLAR = re.compile(
    r"^\W*(?:can|could|may|might|do|does|did|is|are|was|were|will|would|has|have|should|am)\b|[吗么嘛][?？]?\W*$|(.)[不没]\1|是否|有没有"
    r"|(?:です|ます)か",
    re.IGNORECASE,
)
"""A question that is answered with yes or no."""

_LIMITS = re.compile(
    r"\b(?:only|unless|but|however|apart from|excluding)\b|只|仅|除|但|需要|must\b|だけ|のみ", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?。！？\n]")

HONEST: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "The documents don't say anything about that.",
        "I can't find anything about that in the documents.",
        "The documents don't mention that, so I can't tell you.",
    ),
    "zh": ("这个文件里没有写。", "我在文件里没有找到这方面的内容。", "文件里没有提到这一点，所以我不能确定。"),
    "ja": (
        "それは資料に書かれていません。",
        "資料の中に見つかりませんでした。",
        "資料に記載がないため、分かりません。",
    ),
}
"""What is said where nothing was found, each in turn."""

_OWNS_UP = re.compile(
    r"(?:n['’]t|\bnot|\bno|\bcannot|\bunable to)\b[^.!?]{0,40}\b"
    r"(?:say|mention|know|information|detail|find|found|state|specif|contain|tell|sure)\w{0,5}\b|\bnothing (?:about|on)\b"
    r"|(?:没有?|未|并未|不)[^。！？]{0,12}(?:提到|提及|说明|写|找到|查到|信息|资料|知道|清楚|确定)"
    r"|无法[^。！？]{0,8}(?:确认|确定|回答|提供|告诉|得知)|[查找]不到"
    r"|(?:分かり|わかり|見つかり|書かれてい)ません|情報(?:が|は)(?:ない|ありません)",
    re.IGNORECASE,
)
"""How somebody says that something is not there to be known, which is not to say that it is not so."""

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
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_DENIES = re.compile(
    r"\b(?:no|not|never|closed|except|excluded|without|cannot|can't|don't|doesn't|isn't|aren't|won't|neither|nor|unavailable"
    r"|forbidden|prohibited|non)\b|n't\b|不|没|未|关门|休息|停业|除外|禁止|无法|休业|定休|ません|ない|不可|禁",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"^\W*([^:：|]+)[:：|]\s*([^:：|]+)\W*$")
"""A row or an entry: ``Sunday: closed`` has its answer behind the mark."""

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "万": 1e4, "亿": 1e8, "億": 1e8}
_SCALED = re.compile(rf"[\d.,]+[ -]?({'|'.join(_SCALES)})", re.IGNORECASE)
ROUNDED = 0.05
"""Of a number, by which a round one may differ where figures are told roughly: 19.8 million are about 20."""

_AMOUNT = re.compile(
    r"[0-9A-Za-z.:]*[ -]?"
    r"(?:(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|euros?|cents?|dollars?|pounds?|yuan|yen|percent|people"
    r"|persons?|guests?|times|pieces?|items?|metres?|meters?|kilo\w*|grams?)\b|[%€$£]"
    r"|个?(?:小时|钟头|工作日|月|人)|分钟|秒|天|夜|晚|周|年|元|块|欧|人|位|次|件|公里|米|厘米|公斤|克|時間|日間|円|回|名)",
    re.IGNORECASE,
)
"""A number that counts or measures something."""

_DAY = re.compile(r"(?:mon|tues|wedne|thurs|fri|satur|sun)d|周[一二三四五六日天]|星期|.曜", re.IGNORECASE)
LINES = 3
"""The nearest lines, among which the one that denies what is asked is looked for."""

_PART = re.compile(r"[^,;:.!?，；：。！？\n|()（）]+")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer rests on. ``numbers`` are those of passages and conversation, ``hours`` what those past noon are called
    by a clock of twelve hours, ``lines`` the passages' lines nearest to ``question``, the nearest first; ``sure``: they have
    the answer; ``web``: they are pages, whose figures are told roughly."""

    numbers: frozenset[float]
    lines: tuple[str, ...]
    question: str
    sure: bool = False
    hours: frozenset[float] = frozenset()
    web: bool = False

    def holds(self, number: float, text: str) -> bool:
        """Whether ``number``, with which ``text`` begins, is borne; that of an hour is no length or amount."""
        if number in self.numbers or number == 1:
            return True
        scaled = number * _SCALES[scale[1].lower()] if (scale := _SCALED.match(text)) else number
        rough = self.web and scaled == float(f"{scaled:.2g}")
        if scaled in self.numbers or (rough and any(abs(scaled - one) <= ROUNDED * abs(one) for one in self.numbers)):
            return True
        return number in self.hours and _AMOUNT.match(text) is None


def evidence_of(
    texts: Sequence[str], lines: Sequence[str], question: str, *, sure: bool = False, web: bool = False
) -> Evidence:
    """The evidence in ``texts``: passages, what was said, results of functions, instructions."""
    found = {number for text in (*texts, question) for number in numbers_of(text)}
    spoken = frozenset(number for one in found for number in _spoken_as(one))
    hours = frozenset(number - 12 for number in found if 12 < number <= 24)
    return Evidence(spoken, tuple(lines), question, sure, hours, web)


@dataclass(slots=True)
class AnswerCheck:
    """Reads an answer along. ``fault`` is what contradicts, or is nowhere; from then on nothing more is let through. An answer
    that declines (``declined``) is a fault where something was looked for; ``may_decline`` lets it be."""

    evidence: Evidence
    fault: str = ""
    declined: bool = False
    may_decline: bool = False
    text: str = field(default="")
    _waiting: str = field(default="")
    _denial: str = field(init=False)

    def __post_init__(self) -> None:
        self._denial = denying_line(self.evidence)

    def push(self, text: str) -> str:
        """As much of the answer as can be spoken: a number waits until it is whole."""
        if self.fault:
            return ""
        self._waiting += text
        if not (self.text.strip() or self.may_decline) and (_may_decline(self._waiting) or self._declines()):
            return ""
        if self._may_affirm():
            return ""
        end = _OPEN_END.search(self._waiting)
        return self._settle(end.start() if end else len(self._waiting))

    def flush(self) -> str:
        """The rest."""
        return "" if self.fault or self._may_affirm(whole=True) else self._settle(len(self._waiting))

    def _may_affirm(self, *, whole: bool = False) -> bool:
        """Whether the first sentence may be a yes that the nearest line denies; a fault where it is one."""
        if not self._denial or self.text.strip() or not self._waiting.strip():
            return False
        if not _POLAR.search(self.evidence.question):
            return False
        sentence = _SENTENCE_END.split(self._waiting.strip(), maxsplit=1)
        if len(sentence) == 1 and not whole:
            return True
        if _AFFIRMS.match(sentence[0]) and not (_DENIES.search(sentence[0]) or _LIMITS.search(sentence[0])):
            self.fault = self._denial
        return bool(self.fault)

    def _declines(self) -> bool:
        """Whether what has begun is a refusal that is not to be."""
        if _DECLINES.search(self._waiting):
            self.fault, self.declined = self._waiting.strip(), True
        return self.declined

    def _settle(self, end: int) -> str:
        settled = self._waiting[:end]
        if not self.text.strip() and _YES.search(settled) and self._denial:
            self.fault = self._denial
            return ""
        for start, number in _numbers_at(settled):
            if not self.evidence.holds(number, settled[start:]):
                self.fault = settled[start:]
                settled = settled[:start]
                break
        self.text += settled
        self._waiting = self._waiting[end:]
        return settled


def owns_up(text: str) -> bool:
    """Whether ``text`` says that something is not known, or asks for more."""
    return _OWNS_UP.search(text) is not None or text.rstrip().endswith(("?", "？"))


def has_cjk(text: str) -> bool:
    """Whether Chinese or Japanese is written in it."""
    return _CJK.search(text) is not None


def _may_decline(begun: str) -> bool:
    """Whether words that have just begun may still become a refusal."""
    words = begun.strip().lower().replace("’", "'")
    return any(beginning.startswith(words) for beginning in _BEGINNINGS)


def denying_line(evidence: Evidence) -> str:
    """The line that tells most of what is asked, if the part of it that tells it denies it; else nothing. Of the nearest lines
    it is the one that shares most words with the question, days above all: a line about Saturdays does not tell of Sundays.
    """
    asked = set(map(_stem, terms_of(evidence.question)))
    if not asked or not evidence.lines or _DENIES.search(evidence.question.replace("don't like", "")):
        return ""
    line = max(evidence.lines[:LINES], key=lambda one: _shared(asked, one))
    parts = [(_shared(asked, part), part) for part in _PART.findall(line)]
    shared = max((count for count, _ in parts), default=0)
    nearest = [part for count, part in parts if shared and count == shared]
    numbers = set(numbers_of(evidence.question))
    if any(_DENIES.search(part) and numbers <= set(numbers_of(part)) for part in nearest):
        return line
    entry = _ENTRY.match(line)
    if entry and _shared(asked, entry[1]) and _DENIES.search(entry[2]):
        return line if numbers <= set(numbers_of(line)) else ""
    return ""


def telling_line(evidence: Evidence) -> str:
    """The line an answer should be told from: the one that denies what is asked, else the nearest; nothing without any."""
    return denying_line(evidence) or (evidence.lines[0] if evidence.lines else "")


def _shared(asked: Collection[str], text: str) -> int:
    """How many of the words asked for stand in ``text``; a day of the week counts twice."""
    shared = set(asked) & set(map(_stem, searchable(text).split()))
    return len(shared) + sum(_DAY.match(word) is not None for word in shared)


def _stem(word: str) -> str:
    return word[:5] if word.isascii() else word


def numbers_of(text: str) -> list[float]:
    """All numbers of ``text``, typed or spoken."""
    return [number for _, number in _numbers_at(text)] + [
        number for _, number in _numbers_at(inverse_normalized(text, None))
    ]


def _numbers_at(text: str) -> Iterator[tuple[int, float]]:
    found = [(match.start(), value) for match in _TYPED.finditer(text) for value in _values(match[0])]
    found += [
        (span.start, float(span.digits))
        for span in (*english_spans(text), *han_spans(text))
        if _FIGURES.fullmatch(span.digits) and text[span.start : span.end].lower() != "one"
    ]
    yield from sorted(found)


def _values(typed: str) -> list[float]:
    """``1,299.90`` is one number; ``9:30`` and ``03.04.2024`` are their parts."""
    plain = re.sub(r",(?=\d{3}\b)|[- ]", "", typed)
    if re.fullmatch(r"\d+[.,]\d+", plain):
        return [float(plain.replace(",", "."))]
    return [float(part) for part in re.split(r"[.,:]", plain) if part]


def _spoken_as(number: float) -> Iterator[float]:
    """The numbers one is spoken with: itself, and euros and cents apart."""
    yield number
    if number != int(number):
        yield float(int(number))
        yield float(round((number - int(number)) * 100))
        yield float(round((number - int(number)) * 10))
    if number == int(number) and 1000 <= number <= 9999:
        yield from (number // 100, number % 100)
