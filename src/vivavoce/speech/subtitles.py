"""When each word of an utterance is said.

Clauses begin and end where their audio does, to the sample. Within a clause, words are placed by how long they are likely to
take (their syllables) on the time in which there is a voice, so a pause moves nothing; they are estimates, usually right to a
tenth of a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vivavoce.audio.silence import FLOOR, RELATIVE_FLOOR
from vivavoce.types import Samples

FRAME_MS = 10

_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_VOWELS = re.compile(r"[aeiouyà-ÿ]+", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?:[。！？!?…]|\.)[\"'”’」』）)\]】》〉»\s]*$|\n\s*$")


@dataclass(frozen=True, slots=True)
class SubtitleWord:
    """A word (in Chinese and Japanese: a character) and its time in the audio."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Subtitle:
    """A sentence, and its words; ``items`` is empty when nothing of it was audible."""

    text: str
    items: Sequence[SubtitleWord]


@dataclass(slots=True)
class Subtitler:
    """Collects clauses into sentences. Positions count from the beginning of the audio."""

    rate_hz: int
    _at: int = 0
    _text: str = ""
    _items: list[SubtitleWord] = field(default_factory=list)

    def add(self, text: str, samples: Samples) -> None:
        """The next clause, and all its audio (``float32[n]``)."""
        self._items += word_times(text, samples, self.rate_hz, self._at)
        self._at += len(samples)
        self._text += text

    def flush(self) -> Subtitle | None:
        """What has not been given yet."""
        text, items = self._text.strip(), self._items
        self._text, self._items = "", []
        return Subtitle(text, items) if text else None


def ends_sentence(text: str) -> bool:
    """Whether a sentence ends with this clause."""
    return _SENTENCE_END.search(text) is not None


def word_times(text: str, samples: Samples, rate_hz: int, start: int = 0) -> list[SubtitleWord]:
    """The words of a clause and when they are said; ``start`` is the position of its first sample."""
    words = [word for token in _WORD.findall(text) if (word := _EDGES.sub("", token))]
    voiced = _voiced(samples, rate_hz)
    if not words or not voiced.any():
        return []
    weights = np.array([_length(word) for word in words])
    bounds = np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
    # Frames with a voice, in order: a share of the voice is a place among them, on either side of a pause.
    frames = np.flatnonzero(voiced)
    first = np.minimum((bounds[:-1] * len(frames)).astype(int), len(frames) - 1)
    last = np.clip(np.ceil(bounds[1:] * len(frames)).astype(int) - 1, first, len(frames) - 1)
    offset_ms = start * 1000 / rate_hz
    starts = [round(offset_ms + frame * FRAME_MS) for frame in frames[first]]
    ends = [round(offset_ms + (frame + 1) * FRAME_MS) for frame in frames[last]]
    until = [*starts[1:], round(offset_ms + len(samples) * 1000 / rate_hz)]
    return [
        SubtitleWord(word, begin, min(end, limit))
        for word, begin, end, limit in zip(words, starts, ends, until, strict=True)
    ]


def _voiced(samples: Samples, rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which frames are louder than the voice's own pauses."""
    size = rate_hz * FRAME_MS // 1000
    padded = np.pad(samples, (0, -len(samples) % size))
    loudest: np.ndarray[tuple[int], np.dtype[np.float32]] = np.abs(padded).reshape(-1, size).max(axis=1)
    if not len(loudest):
        return np.zeros(0, np.bool_)
    return loudest > max(FLOOR, RELATIVE_FLOOR * float(loudest.max()))


def _length(word: str) -> float:
    """Syllables, about: characters in Chinese and Japanese, groups of vowels and digits elsewhere."""
    digits = sum(char.isdigit() for char in word)
    return max(1.0, digits + len(_VOWELS.findall(word)))
