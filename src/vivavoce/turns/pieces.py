"""A long recording in pieces a recogniser takes, cut where nobody speaks. Pure: it follows speech probabilities.

A piece begins and ends with speech, and leaves out what lies between pieces: silence, noise, music. Within a piece short
pauses stay, because they tell the recogniser where sentences end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vivavoce.turns.detector import Started, TurnDetector

THRESHOLD = 0.5
"""Least speech probability of a frame that counts as speech."""

LONGEST_S = 25.0
"""No piece is longer, without its margins: with them it fits the 30 s Whisper was trained on."""

ENOUGH_S = 10.0
"""A piece this long ends at the next good pause: who waits for the recogniser meanwhile waits for half a second only."""

PAUSE_MS = 250
"""Silence that counts as a pause: about a comma's."""

GOOD_PAUSE_MS = 500
"""Silence that ends a piece which is long enough: about a full stop's."""

LONG_PAUSE_MS = 1500
"""Silence that ends every piece. Whisper is prone to invent words in longer ones."""

MIN_S = 4.0
"""A piece that has become too long is not cut before; so short a beginning would lose its context."""

MARGIN_MS = 200
"""Audio kept on both sides of the speech: soft onsets and endings lie outside of what the detector marks."""

DIP_FRAMES = 5
"""Where speech has no pause at all, it is cut in the middle of the frames that sound least like speech."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples ``start`` to ``end`` of a recording. ``after_pause_ms`` is how long nobody had spoken before it."""

    start: int
    end: int
    after_pause_ms: int


class PieceCutter:
    """Follows the frames of one recording. ``hear`` yields the pieces that have ended, ``finish`` what is left.

    ``good_pause_ms`` (from ``PAUSE_MS`` on) is the silence that ends a piece which is long enough; ``longest_s`` (up to
    ``LONGEST_S``) is how long one is at most.
    """

    def __init__(
        self, *, rate_hz: int, frame_samples: int, good_pause_ms: int = GOOD_PAUSE_MS, longest_s: float = LONGEST_S
    ) -> None:
        self._good_pause_ms = good_pause_ms
        self._longest_s = longest_s
        self._rate_hz = rate_hz
        self._frame = frame_samples
        self._detector = TurnDetector(rate_hz=rate_hz, frame_samples=frame_samples)
        self._position = 0
        self._start: int | None = None
        self._end = 0
        self._last_end = 0
        self._probabilities: list[float] = []

    def hear(self, probabilities: Iterable[float]) -> Iterator[Piece]:
        """The pieces that end within the next frames."""
        for probability in probabilities:
            yield from self._take(probability)

    def finish(self) -> Iterator[Piece]:
        """The last piece, if the recording ends within one."""
        if self._start is not None:
            yield from self._ended(self._start)

    def _take(self, probability: float) -> Iterator[Piece]:
        for boundary in self._detector.hear(
            self._position, [probability], threshold=THRESHOLD, silence_ms=lambda: PAUSE_MS
        ):
            if isinstance(boundary, Started):
                yield from self._started(boundary.position)
        self._position += self._frame
        if self._start is None:
            return
        self._probabilities.append(probability)
        if self._detector.speaking:
            self._end = max(self._start, self._detector.voiced_until)
            if self._position - self._start >= self._longest_s * self._rate_hz:
                yield self._cut(self._start)
        elif self._position - self._end >= self._samples(LONG_PAUSE_MS):
            yield from self._ended(self._start)

    def _started(self, position: int) -> Iterator[Piece]:
        if self._start is not None:
            long_enough = self._end - self._start >= ENOUGH_S * self._rate_hz
            if long_enough and position - self._end >= self._samples(self._good_pause_ms):
                yield from self._ended(self._start)
        if self._start is None:
            self._start = self._end = position
            # The detector needs two frames to be sure; the one before this frame counts as speech.
            self._probabilities = [1.0] * ((self._position - position) // self._frame)

    def _ended(self, start: int) -> Iterator[Piece]:
        """The piece is over. What a cut has left may turn out to be nothing."""
        self._start = None
        if self._end > start:
            yield self._piece(start, self._end, self._samples(MARGIN_MS))

    def _cut(self, start: int) -> Piece:
        """The piece up to its best pause; what follows the pause is the beginning of the next one."""
        first, last = _quietest(self._probabilities, int(MIN_S * self._rate_hz) // self._frame)
        end, self._start = start + first * self._frame, start + last * self._frame
        self._probabilities = self._probabilities[last:]
        self._end = max(self._end, self._start)
        return self._piece(start, end, min(self._samples(MARGIN_MS), self._start - end))

    def _piece(self, start: int, end: int, margin: int) -> Piece:
        pause = start - self._last_end
        self._last_end = end
        return Piece(start - min(self._samples(MARGIN_MS), pause), end + margin, pause * 1000 // self._rate_hz)

    def _samples(self, duration_ms: int) -> int:
        return duration_ms * self._rate_hz // 1000


def _quietest(probabilities: list[float], first_frame: int) -> tuple[int, int]:
    """The longest run of frames without speech, as (first, end), that begins ``first_frame`` frames in or later.

    Where there is none, twice the middle of the frames that sound least like speech; the latest ones, if all sound alike.
    """
    best = (0, 0)
    start: int | None = None
    for index in range(first_frame, len(probabilities)):
        if probabilities[index] >= THRESHOLD:
            start = None
            continue
        start = index if start is None else start
        if index + 1 - start >= best[1] - best[0]:
            best = (start, index + 1)
    if best[1] - best[0] >= 2:
        return best
    smoothed = np.convolve(probabilities[first_frame:], np.ones(DIP_FRAMES) / DIP_FRAMES, mode="valid")
    lowest = len(smoothed) - 1 - int(np.argmin(smoothed[::-1]))
    middle = first_frame + lowest + DIP_FRAMES // 2
    return middle, middle
