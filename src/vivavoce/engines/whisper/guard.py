"""When not to believe the decoder: invented text where nobody speaks, and sentences repeated without end. Pure.

A short context makes Whisper loop now and then, and on noise it writes what ended many training clips. Neither may cost
a real "five five" or "no, no, no": doubt here only asks for a second look (a voice activity detector, a longer context).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vivavoce.engines.whisper.model import DecodedText

DOUBTFUL_NO_SPEECH = 0.2
DOUBTFUL_LOG_PROBABILITY = -1.0
"""Beyond either, ask whether anybody spoke: noise alone always is, sentences seldom are, single words often."""

FASTEST_WORDS_PER_S = 5.0
FASTEST_CHARACTERS_PER_S = 10.0
"""Repeated words are seldom said faster: 300 a minute, or twice the usual rate of Chinese syllables."""

_UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:['’][^\W_]+)*")
_CHARACTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

_STOCK_PHRASES = (
    "you",
    "thank you",
    "thanks for watching",
    "thank you for watching",
    "please subscribe",
    "作词作曲",
    "作詞作曲",
    "谢谢观看",
    "字幕制作人",
    "字幕製作人",
    "请不吝点赞订阅转发打赏支持明镜与点点栏目",
    "ご視聴ありがとうございました",
    "MBC 뉴스",
    "시청해주셔서 감사합니다",
    "Untertitel der Amara.org-Community",
    "Untertitelung des ZDF, 2020",
    "Sous-titres réalisés par la communauté d'Amara.org",
    "Subtítulos realizados por la comunidad de Amara.org",
)
"""What Whisper writes on silence, learnt from subtitles. Words people also say: only doubt makes them suspect."""


def units(text: str) -> list[str]:
    """The words of ``text`` in lower case; Chinese and Japanese by the character."""
    return [match.group().lower() for match in _UNIT.finditer(text)]


_STOCK = frozenset(tuple(units(phrase)) for phrase in _STOCK_PHRASES)


def is_doubtful(reading: DecodedText) -> bool:
    """Whether the decoder itself was unsure that there are words."""
    return reading.no_speech > DOUBTFUL_NO_SPEECH or reading.log_probability < DOUBTFUL_LOG_PROBABILITY


def is_stock_phrase(text: str) -> bool:
    """Whether ``text`` is nothing but a phrase Whisper is known to invent, once or over and over."""
    words = units(text)
    period = _repetition(words)
    return tuple(words) in _STOCK or (period is not None and tuple(words[period.start :][: period.length]) in _STOCK)


@dataclass(frozen=True, slots=True)
class _Repetition:
    """The end of a text that repeats: from unit ``start`` on, every ``length`` units."""

    start: int
    length: int
    copies: int


def _repetition(words: list[str]) -> _Repetition | None:
    best: _Repetition | None = None
    for length in range(1, len(words) // 2 + 1):
        start = len(words) - length
        while start > 0 and words[start - 1] == words[start - 1 + length]:
            start -= 1
        copies = (len(words) - start) // length
        if copies > 1 and (best is None or start < best.start):
            best = _Repetition(start, length, copies)
    return best


def repeats(text: str) -> bool:
    """Whether the end of ``text`` says something at least twice."""
    return _repetition(units(text)) is not None


def copies(text: str) -> int:
    """How often the end of ``text`` is said: 1 if it is not repeated."""
    repetition = _repetition(units(text))
    return 1 if repetition is None else repetition.copies


def fits(text: str, speech_s: float) -> bool:
    """Whether ``text`` can be said in ``speech_s`` seconds."""
    return _shortest_s(units(text)) <= speech_s


def collapse(text: str, speech_s: float) -> str:
    """``text`` with as many whole copies of its repeating end as ``speech_s`` has room for, at least one."""
    spans = list(_UNIT.finditer(text))
    words = [span.group().lower() for span in spans]
    repetition = _repetition(words)
    if repetition is None or fits(text, speech_s):
        return text
    start, length = repetition.start, repetition.length
    copies_kept = 1
    while copies_kept < repetition.copies and _shortest_s(words[: start + (copies_kept + 1) * length]) <= speech_s:
        copies_kept += 1
    last = start + copies_kept * length
    end = spans[last].start() if last < len(spans) else len(text)
    return text[:end].rstrip()


def _shortest_s(words: list[str]) -> float:
    characters = sum(bool(_CHARACTER.fullmatch(unit)) for unit in words)
    return characters / FASTEST_CHARACTERS_PER_S + (len(words) - characters) / FASTEST_WORDS_PER_S
