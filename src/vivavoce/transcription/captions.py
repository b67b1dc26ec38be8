"""Segments of a transcript as a reader wants them: a sentence, or a clause of a long one, at a time. Pure.

``srt`` is SubRip's de-facto format, ``vtt`` WebVTT (W3C, section 3.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vivavoce.runtime.long_audio import Segment
from vivavoce.text.scripts import is_cjk
from vivavoce.types import Confidence, Token, Word

LONGEST_MS = 7_000
"""A caption that stays longer is read twice (Netflix, Timed Text Style Guide, "Duration")."""

MIN_MS = 1_000
"""A sentence that is shorter stays with the next one, unless a pause comes between."""

PAUSE_MS = 700
"""A silence after which a new caption begins."""

MAX_UNITS = 84
"""Two lines of 42 characters, of which a Chinese one counts as two and a half."""

CJK_UNITS = 2.5

_SENTENCE_END = re.compile(r"[.!?。！？…]+[\"'”’」』）)\]]*$")
_CLAUSE_END = re.compile(r"[,;:，；：、—–]+[\"'”’」』）)\]]*$")


@dataclass(frozen=True, slots=True)
class Caption:
    """A piece of text to be shown from ``start_ms`` to ``end_ms``, with its words and tokens.

    ``from_ms`` is where the stretch began that the recogniser heard as one, ``channel`` the one it was said on, if channels
    were read by themselves.
    """

    text: str
    start_ms: int
    end_ms: int
    from_ms: int
    words: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()
    confidence: Confidence | None = None
    channel: int | None = None


def captions(segments: Iterable[Segment]) -> Iterator[Caption]:
    """All captions of consecutive segments. A segment whose words are not known is one caption."""
    for segment in segments:
        if not segment.words:
            yield _caption(segment, segment.text, (segment.start_ms, segment.end_ms), (), segment.tokens)
            continue
        tokens = list(segment.tokens)
        for words in _split(segment.words):
            text = "".join(word.text for word in words)
            times = words[0].start_ms, words[-1].end_ms
            yield _caption(segment, text.strip(), times, tuple(words), tuple(_take_tokens(tokens, len(text.encode()))))


def _caption(
    segment: Segment, text: str, times: tuple[int, int], words: tuple[Word, ...], tokens: tuple[Token, ...]
) -> Caption:
    return Caption(text, *times, segment.start_ms, words, tokens, segment.confidence, segment.channel)


def _split(words: Sequence[Word]) -> Iterator[list[Word]]:
    caption: list[Word] = []
    for index, word in enumerate(words):
        if caption and _is_full(caption, word):
            end = _clause_end(caption)
            yield caption[:end]
            caption = caption[end:]
        caption.append(word)
        next_word = words[index + 1] if index + 1 < len(words) else None
        if next_word is None or _ends(caption, next_word):
            yield caption
            caption = []


def _ends(caption: Sequence[Word], next_word: Word) -> bool:
    last = caption[-1]
    if next_word.start_ms - last.end_ms >= PAUSE_MS:
        return True
    return bool(_SENTENCE_END.search(last.text)) and last.end_ms - caption[0].start_ms >= MIN_MS


def _is_full(caption: Sequence[Word], next_word: Word) -> bool:
    units = sum(CJK_UNITS if is_cjk(character) else 1.0 for word in (*caption, next_word) for character in word.text)
    return units > MAX_UNITS or next_word.end_ms - caption[0].start_ms > LONGEST_MS


def _clause_end(caption: Sequence[Word]) -> int:
    """Where to cut a caption that is full: after the last clause that ends beyond its first third, or at the end."""
    for index in range(len(caption), len(caption) // 3, -1):
        if _CLAUSE_END.search(caption[index - 1].text):
            return index
    return len(caption)


def _take_tokens(tokens: list[Token], size: int) -> Iterator[Token]:
    """The tokens of the next ``size`` bytes; the space a transcript's first token begins with counts for nothing."""
    while tokens and size > 0:
        token = tokens.pop(0)
        yield token
        size -= len(token.data)
    while tokens and not tokens[0].data:
        yield tokens.pop(0)


def srt(lines: Iterable[Caption]) -> str:
    """A SubRip file."""
    return "\n".join(
        f"{number}\n{_timestamp(line.start_ms, ',')} --> {_timestamp(line.end_ms, ',')}\n{with_channel(line)}\n"
        for number, line in enumerate(lines, 1)
    )


def vtt(lines: Iterable[Caption]) -> str:
    """A WebVTT file. What would be markup there is escaped."""
    cues = (
        f"{_timestamp(line.start_ms, '.')} --> {_timestamp(line.end_ms, '.')}\n{_voice(line)}{_escaped(line.text)}\n"
        for line in lines
    )
    return "\n".join(("WEBVTT\n", *cues))


def with_channel(line: Caption) -> str:
    """The text, behind the name of its channel if there is one."""
    return line.text if line.channel is None else f"Channel {line.channel}: {line.text}"


def _voice(line: Caption) -> str:
    return "" if line.channel is None else f"<v Channel {line.channel}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _timestamp(time_ms: int, separator: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{ms:03}"
