"""Which sound belongs to which words, in a reply that the language model speaks itself. Pure.

Words come a little before their sound, and nothing says where one of them is in it. The history has to keep what was heard of
a reply that is interrupted, so the sound is shared out among clauses as it comes: one lasts about as long as its characters
take to be said, and ends in a pause of the speaker's. Errors do not add up: every pause that is found corrects them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from vivavoce.text.clauses import FIRST_FORCED_REPLY, Clause, ClauseSplitter
from vivavoce.text.scripts import is_cjk
from vivavoce.types import Language, Samples

CHARACTER_S, CJK_CHARACTER_S = 0.06, 0.2
"""How long a character takes in quick speech: 16 of English a second, 5 of Chinese."""

EARLIEST, LATEST = 0.7, 1.5
"""Shares of the time a clause is expected to take, between which it ends: at the first pause, or at the latest."""

FRAME_S = 0.02
PAUSE_FRAMES = 3
QUIET = 0.05
"""Of the loudest frame so far: what is quieter for ``PAUSE_FRAMES`` is a pause."""


@dataclass(frozen=True, slots=True)
class ClauseEnd:
    """The clause whose sound came last has all of it."""


@dataclass(slots=True)
class OwnVoice:
    """Cuts the words of one reply into clauses, and its sound, at ``rate_hz``, at their ends.

    ``sounded``: there was sound. Sound belongs to the first clause without a ``ClauseEnd``.
    """

    language: Language
    rate_hz: int
    sounded: bool = False
    _splitter: ClauseSplitter = field(init=False)
    _expected_s: deque[float] = field(default_factory=deque)
    _made_s: float = 0.0
    _loudest: float = 0.0
    _quiet_frames: int = 0

    def __post_init__(self) -> None:
        self._splitter = ClauseSplitter(self.language, first_forced=FIRST_FORCED_REPLY)

    def words(self, text: str) -> list[Clause]:
        """More words; the clauses that are whole by now."""
        return self._cut(self._splitter.push(text))

    def sound(self, samples: Samples) -> Iterator[Clause | Samples | ClauseEnd]:
        """More sound, ``float32[n]``, and where clauses end in it. It does not wait for the first clause to be whole."""
        self.sounded = True
        if not self._expected_s:
            yield from self._cut(self._rest() or [Clause("", self.language, "")])
        frame = max(round(FRAME_S * self.rate_hz), 1)
        start = 0
        for at in range(0, len(samples), frame):
            end = min(at + frame, len(samples))
            if not self._may_end(samples[at:end]):
                continue
            if len(self._expected_s) == 1:  # what follows is not whole yet
                yield from self._cut(self._rest())
            if len(self._expected_s) > 1:
                yield samples[start:end]
                yield ClauseEnd()
                self._expected_s.popleft()
                start, self._made_s = end, 0.0
        if start < len(samples):
            yield samples[start:]

    def finish(self) -> Iterator[Clause | ClauseEnd]:
        """There is no more: the last words, and the end of every clause. One that is left over has no sound of its own."""
        yield from self._cut(self._rest())
        if self.sounded:
            yield from [ClauseEnd()] * len(self._expected_s)

    # ---- inside

    def _rest(self) -> list[Clause]:
        rest = list(self._splitter.flush())
        self._splitter = ClauseSplitter(self.language, first_forced=FIRST_FORCED_REPLY)
        return rest

    def _cut(self, clauses: list[Clause]) -> list[Clause]:
        self._expected_s += (_expected_s(clause.text) for clause in clauses)
        return clauses

    def _may_end(self, frame: Samples) -> bool:
        """Whether the clause ends with this frame, if there are words behind it."""
        level = float(np.sqrt(np.mean(np.square(frame))))
        self._loudest = max(self._loudest, level)
        self._quiet_frames = self._quiet_frames + 1 if level < QUIET * self._loudest else 0
        self._made_s += len(frame) / self.rate_hz
        done = self._made_s / max(self._expected_s[0], FRAME_S)
        return done >= LATEST or (done >= EARLIEST and self._quiet_frames >= PAUSE_FRAMES)


def _expected_s(text: str) -> float:
    return sum(CJK_CHARACTER_S if is_cjk(character) else CHARACTER_S for character in text)
