"""The spoken side of one reply: audio leaves paced, and words are known by the time they are heard."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vivavoce.audio.pacing import Pacer

_WORD = re.compile(r"\s*(?:[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+)\s*")
"""A word with the space around it; each Chinese or Japanese character is a word of its own."""


@dataclass(slots=True)
class SpokenClause:
    """A clause and its samples ``start`` … ``end`` within the reply's audio; ``start`` is ``None`` until it is spoken."""

    text: str
    start: int | None = None
    end: int = 0


class Playback:
    """Clauses and their audio. ``now`` is in seconds."""

    def __init__(self, pacer: Pacer) -> None:
        self.pacer = pacer
        self._clauses: list[SpokenClause] = []
        self._total = 0

    @property
    def duration_ms(self) -> int:
        """All audio so far, sent or waiting."""
        return self._total * 1000 // self.pacer.rate_hz

    def add_clause(self, text: str) -> None:
        """The next clause of the reply, on its way to the speaker."""
        self._clauses.append(SpokenClause(text))

    def push(self, index: int, pcm: bytes, samples: int) -> None:
        """Audio of clause ``index``; clauses are spoken in order."""
        clause = self._clauses[index]
        if clause.start is None:
            clause.start = self._total
        self.pacer.push(pcm)
        self._total += samples
        clause.end = self._total

    def played_ms(self, now: float) -> int:
        """The position that can have been heard."""
        return self.pacer.played(now) * 1000 // self.pacer.rate_hz

    def words_until(self, audio_end_ms: int) -> str:
        """The words of the first ``audio_end_ms`` milliseconds; a word counts once most of it has been heard."""
        position = audio_end_ms * self.pacer.rate_hz // 1000
        words: list[str] = []
        silent: list[str] = []
        for clause in self._clauses:
            if clause.start is None:
                silent.append(clause.text)  # nothing to speak in it, or not spoken yet: what follows tells
                continue
            if clause.start >= position:
                break
            words += silent
            silent.clear()
            if clause.end > position:
                words.append(_head(clause.text, (position - clause.start) / (clause.end - clause.start)))
                break
            words.append(clause.text)
        return "".join(words).rstrip()


def _head(text: str, share: float) -> str:
    """The words of ``text`` whose middle lies before ``share`` of it: speech runs about evenly over characters."""
    end = 0
    for word in _WORD.finditer(text):
        if (word.start() + word.end()) / 2 > share * len(text):
            break
        end = word.end()
    return text[:end]
