"""What code can tell of an answer: that it owns up, asks, claims an act, its language, names nobody has mentioned. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import normalize

from vivavoce.types import Language

OWNS_UP = re.compile(
    r"(?:n't|\bnot|\bno|\bcannot|never|unable to)\b[^.!?]{0,40}\b(?:say|mention|know|inform|information|details?|find|found"
    r"|list|state|specif|cover|contain|provide|tell|sure|data|record|answer|include|available|see)"
    r"|\b(?:documents?|handbook|papers?|manual|files?|notices?)\b[^.!?]{0,20}(?:n't|not|nothing|no)\b"
    r"|\b(?:nothing|no word) (?:about|on|in|there|is)"
    r"|(?:没有?|未|并未|不)(?:[^。！？]{0,16})(?:提到|提及|说明|说|写|找到|信息|资料|记录|规定|列出|包含|知道|清楚|确定|内容|了解|查到|介绍)"
    r"|(?:资料|手册|文件|说明书|文档|通知|指南|公告|条款)[^。！？,，]{0,6}(?:没|未|无)"
    r"|无法(?:[^。！？]{0,10})(?:确认|确定|回答|提供|告诉|得知|找到|查)|查不到|找不到",
    re.IGNORECASE,
)
"""How it sounds when somebody owns up that a fact is not there or not known. "We don't deliver there" is none: it is a fact."""

ASKS = re.compile(
    r"[?？]|\b(?:please (?:tell|give|provide|confirm|say|let)|could you|may i|would you|shall i|i(?:'ll)? need|let me know)\b"
    r"|请(?:您)?(?:告诉|提供|确认|说|问|给)|是否|要不要|吗|需要(?:您|你)",
    re.IGNORECASE,
)

_DONE = (
    "refunded|cancelled|canceled|booked|transferred|paid|unlocked|locked|opened|ordered|sent|blocked|changed|processed"
    "|scheduled|reserved|submitted|moved|deleted|made|activated|issued|initiated"
)
CLAIMS = re.compile(
    r"\b(?:i(?:'ve| have)|(?:has|have) been|(?:was|is|are) (?:now|successfully)|i just)"
    rf"(?: (?:now|just|already|been|successfully))* (?:{_DONE})\b"
    r"|已经?(?:为|帮|给|成功)*(?:您|你)?(?:成功|提交|办理)*"
    r"(?:退款|取消|预约|预订|订好|转账|支付|挂失|冻结|解锁|打开|关闭|删除|改到|发送|退订|办理)"
    r"|(?:退款|取消|预约|预订|转账|挂失)(?:已经?|成功)",
    re.IGNORECASE,
)
"""An act told of as done."""

_CONDITION = re.compile(
    r"\b(?:if|once|when|until|unless|after|before|will)\b|如果|一旦|之后|以后|[后前时]，|没有|尚未|是否", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.!?。！？\n]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9,;] )([A-Z][\w']*)")
_WORD = re.compile(r"[A-Za-z0-9][\w'’-]*")
_CHARACTER = re.compile(r"[\u3400-\u9fff0-9]")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
_HAN_DAY = re.compile("(?:周|星期|礼拜)([一二三四五六日天])")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HAN_DAYS = tuple("一二三四五六日")
_ONE_DAY = re.compile("|".join(_DAYS), re.IGNORECASE)
_RANGE = re.compile(rf"({'|'.join(_DAYS)})s? (?:to|until|through|till) ({'|'.join(_DAYS)})", re.IGNORECASE)
_HAN_RANGE = re.compile("(?:周|星期|礼拜)([一二三四五六日天])(?:至|到)(?:周|星期|礼拜)([一二三四五六日天])")
_NO_NAMES = frozenset(
    {"i", "i'm", "i'll", "i've", "i'd", "ai", "ok", "okay", "yes", "no", "mr", "mrs", "ms", "dr", "am", "pm", "english",
     "chinese", "hello", "please", "thank", "sorry", "sure", "great", "faq", "pdf", "app", "kg", "km", "cm", "kwh", "wifi"}
)  # fmt: skip
_LEAK = re.compile(r"[{}]|<tool|tool_call|</|\bfunction\b.*\(|```")


def has_pattern(pattern: str, typed: str) -> bool:
    """Whether a script's regular expression is found in an answer, in whatever case."""
    return re.search(pattern, typed, re.IGNORECASE) is not None


def owns_up(answer: str) -> bool:
    """Whether it says that the fact is not there or not known."""
    return OWNS_UP.search(_plain(answer)) is not None


def asks(answer: str) -> bool:
    """Whether it asks the user for something."""
    return ASKS.search(_plain(answer)) is not None


def claims_act(answer: str) -> bool:
    """Whether a sentence without a condition tells of an act as done."""
    sentences = _SENTENCE.findall(_plain(answer))
    return any(CLAIMS.search(sentence) and not _CONDITION.search(sentence) for sentence in sentences)


def leaks(answer: str, names: tuple[str, ...] = ()) -> bool:
    """Whether it has what is no speech: a call in words, or one of the ``names`` of functions."""
    return _LEAK.search(answer) is not None or any(name in answer for name in names if "_" in name)


def in_language(answer: str, language: Language) -> bool:
    """Whether it is in Chinese, or in a language of Latin letters; names and codes in other letters do not count much."""
    letters, han = len(_LETTER.findall(answer)), len(_HAN.findall(answer))
    if not letters:
        return True
    latin_words = len(_LATIN_WORD.findall(answer))
    return han > latin_words if language == "zh" else han <= letters * 0.1


def length(text: str, language: Language) -> int:
    """Words, or in Chinese characters and digits."""
    return len((_CHARACTER if language == "zh" else _WORD).findall(text))


def unknown_names(answer: str, known: str, language: Language) -> set[str]:
    """Names that ``known`` does not have: capitals within a sentence; in Chinese words in Latin letters and weekdays. A code
    with digits is a number, which is looked for as one."""
    plain, there = normalize("NFKC", answer).replace("’", "'"), normalize("NFKC", known)
    if language == "zh":
        words = {word for word in _LATIN_WORD.findall(plain) if word.isalpha()} | {
            f"周{_day(day)}" for day in _HAN_DAY.findall(plain)
        }
        days = {f"周{day}" for day in _days_of(there, _HAN_DAYS, _HAN_DAY, _HAN_RANGE)}
        return {word for word in words - days if not _is_known(word, there)}
    days = _days_of(there, _DAYS, _ONE_DAY, _RANGE)
    names = {name for name in _INNER_CAPITAL.findall(plain) if not any(map(str.isdigit, name))}
    return {name for name in names if name.casefold().rstrip("s") not in days and not _is_known(name, there)}


def _days_of(known: str, week: Sequence[str], single: re.Pattern[str], between: re.Pattern[str]) -> set[str]:
    """The weekdays that are named, and those between two that a "to" joins."""
    named = {_day(day.casefold()) for day in single.findall(known)}
    for first, last in between.findall(known):
        begin, end = (week.index(_day(day.casefold())) for day in (first, last))
        named |= {week[at % 7] for at in range(begin, end + 1 if end >= begin else end + 8)}
    return named


def _day(name: str) -> str:
    return "日" if name == "天" else name


def _is_known(word: str, known: str) -> bool:
    stem = word.casefold().removesuffix("'s").rstrip("s'")
    return word.casefold() in _NO_NAMES or stem in known.casefold()


def _plain(text: str) -> str:
    return normalize("NFKC", text).replace("’", "'")
