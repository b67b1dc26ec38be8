"""The speech of short clauses that come again and again ("Sure,", 好的，, はい、): made once, then at hand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeAlias

from vivavoce.types import Samples, SpeakOptions

LONGEST_TEXT = 24
"""Characters of a clause that is kept: openings and fillers are that short; longer clauses seldom come again."""

MOST_SAMPLES = 24_000 * 120
"""What is kept in all: two minutes, 11.5 MB."""

MOST_SEEN = 1024
"""Clauses remembered without their speech. One is kept when it comes for the second time, so that what comes once
does not push out what comes often."""

Key: TypeAlias = tuple[str, str, SpeakOptions]


class SpeechCache:
    """By engine, text and options (the engine's own voice, language, speed, style); what was not asked for longest goes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[Samples, ...]] = OrderedDict()
        self._seen: OrderedDict[Key, None] = OrderedDict()
        self._samples = 0

    def get(self, key: Key) -> tuple[Samples, ...] | None:
        """The speech of this clause (``float32[n]`` each), if it is here."""
        pieces = self._kept.get(key)
        if pieces is not None:
            self._kept.move_to_end(key)
        return pieces

    def wants(self, key: Key) -> bool:
        """Whether the speech that is about to be made should be kept: the clause is short, and was here before."""
        if len(key[1]) > LONGEST_TEXT:
            return False
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return False

    def keep(self, key: Key, pieces: Sequence[Samples]) -> None:
        """All the speech of this clause."""
        self._drop(key)
        self._kept[key] = tuple(pieces)
        self._samples += sum(map(len, pieces))
        while self._samples > MOST_SAMPLES:
            self._drop(next(iter(self._kept)))

    def forget(self, engine: str, voice: str) -> None:
        """This voice of the engine is another one from now on, or gone."""
        for key in [key for key in self._kept if key[0] == engine and key[2].voice == voice]:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        self._samples -= sum(map(len, self._kept.pop(key, ())))
