"""When each word was said: tokens and the audio they attend to → words with times. Pure.

Cross-attention tells the order and the middle of words well, and their edges badly at pauses: a word after a pause seems to
begin within it. Voice activity knows where pauses are, so the edges of words beside one are put there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from vivavoce.types import Word

FRAME_MS = 20
"""What one position of the encoder stands for."""

MIN_MS = 20
PAUSE_MS = 160
"""Shorter gaps in voice activity are stop consonants."""

REACH_MS = 400
"""How far the edge of a word is moved to meet the edge of a pause."""

_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_WORDLIKE = re.compile(r"\w")
_OPENING = re.compile(r" [\"']|\s?[“‘«「『（(\[{¿¡]+")


@dataclass(frozen=True, slots=True)
class TimedToken:
    """The bytes of one token, and the position (``FRAME_MS`` each) at which the decoder began to attend to it."""

    data: bytes
    position: int


@dataclass(frozen=True, slots=True)
class SilentGap:
    """Nobody speaks from ``start_ms`` to ``end_ms``."""

    start_ms: int
    end_ms: int


def timed_words(tokens: Sequence[TimedToken], pauses: Sequence[SilentGap], duration_ms: int) -> tuple[Word, ...]:
    """The words of an utterance of ``duration_ms``; their texts join to that of the tokens.

    Times rise, never overlap and stay within the utterance.
    """
    words = _words_of_units(list(_characters(tokens)), duration_ms)
    for pause in pauses:
        words = _beside(pause, words)
    return tuple(_rising(words, duration_ms))


@dataclass(frozen=True, slots=True)
class _Unit:
    text: str
    start_ms: int


def _characters(tokens: Iterable[TimedToken]) -> Iterable[_Unit]:
    """Tokens joined until they are whole characters."""
    data, position = b"", 0
    for token in tokens:
        position = position if data else token.position
        data += token.data
        try:
            text = data.decode()
        except UnicodeDecodeError:
            continue
        yield _Unit(text, position * FRAME_MS)
        data = b""
    if data:
        yield _Unit(data.decode(errors="replace"), position * FRAME_MS)


def _words_of_units(units: Sequence[_Unit], duration_ms: int) -> list[Word]:
    """Units joined to words. A word ends where its punctuation, or the next word, begins."""
    words: list[Word] = []
    for index, unit in enumerate(units):
        following = units[index + 1].start_ms if index + 1 < len(units) else duration_ms
        punctuation = not _WORDLIKE.search(unit.text)
        if words and not _begins_a_word(words[-1].text, unit.text):
            last = words[-1]
            silent = punctuation and _WORDLIKE.search(last.text)
            words[-1] = replace(last, text=last.text + unit.text, end_ms=last.end_ms if silent else following)
        else:
            words.append(Word(unit.text, unit.start_ms, following))
    return words


def _begins_a_word(before: str, text: str) -> bool:
    if _OPENING.fullmatch(before):
        return False
    if not _WORDLIKE.search(text):
        return bool(_OPENING.fullmatch(text))
    return text[0] == " " or bool(_SPACELESS.search(text[0]) or _SPACELESS.search(before))


def _beside(pause: SilentGap, words: list[Word]) -> list[Word]:
    """Words on the two sides of a pause keep out of it; the two next to it reach up to it."""
    middle = (pause.start_ms + pause.end_ms) // 2
    before = list(takewhile(lambda word: word.start_ms + word.end_ms <= 2 * middle, words))
    after = words[len(before) :]
    if before:
        last = before[-1]
        near = pause.start_ms - last.end_ms <= REACH_MS
        before[-1] = replace(last, end_ms=pause.start_ms if near else last.end_ms)
    if after:
        first = after[0]
        near = first.start_ms - pause.end_ms <= REACH_MS
        after[0] = replace(first, start_ms=pause.end_ms if near else first.start_ms)
    return [
        *(replace(word, start_ms=min(word.start_ms, pause.start_ms - MIN_MS)) for word in before),
        *(replace(word, end_ms=max(word.end_ms, pause.end_ms + MIN_MS)) for word in after),
    ]


def _rising(words: list[Word], duration_ms: int) -> Iterable[Word]:
    earliest = 0
    for word in words:
        start = min(max(word.start_ms, earliest), duration_ms)
        earliest = min(max(word.end_ms, start + MIN_MS), duration_ms)
        yield Word(word.text, start, earliest)
