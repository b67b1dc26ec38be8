"""Speech probabilities → speech started, speech stopped. Pure: the model that makes the probabilities is elsewhere.

Two rules with hysteresis, as Silero's own iterator has them: speech starts when the probability stays at or above
``threshold`` for ``MIN_SPEECH_MS``, and stops when it stays below ``threshold - RELEASE`` for long enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

MIN_SPEECH_MS = 64
"""Shorter bursts are clicks and plosives of the room, not speech."""

RELEASE = 0.15
"""How far below the threshold the probability must fall to count as silence."""


@dataclass(frozen=True, slots=True)
class Started:
    """The user speaks since sample ``position``."""

    position: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """Silence for long enough: voiced until ``voiced_until``, decided at ``position`` (samples)."""

    position: int
    voiced_until: int


Boundary: TypeAlias = Started | Stopped


class TurnDetector:
    """Follows one stream of frames. While ``speaking``, ``voiced_until`` is where the last speech in it ended."""

    def __init__(self, *, rate_hz: int, frame_samples: int) -> None:
        self._rate_hz = rate_hz
        self.frame_samples = frame_samples
        self.reset()

    def reset(self) -> None:
        """Forget the past: nobody speaks."""
        self.speaking = False
        self._onset: int | None = None
        self.voiced_until = 0

    def hear(
        self,
        position: int,
        probabilities: Sequence[float],
        *,
        threshold: float,
        silence_ms: Callable[[], int],
        resumed: Callable[[int, int], None] = lambda _paused_until, _voiced_from: None,
    ) -> Iterator[Boundary]:
        """The boundaries in frames that begin at sample ``position``. ``silence_ms`` tells how much silence ends speech;
        ``resumed`` is told of a pause that did not, by the samples at its beginning and its end.
        """
        for probability in probabilities:
            end = position + self.frame_samples
            voiced_before = self.voiced_until
            boundary = (
                self._while_speaking(end, probability, threshold, silence_ms())
                if self.speaking
                else self._while_silent(position, end, probability, threshold)
            )
            if boundary is not None:
                yield boundary
            elif self.speaking and self.voiced_until == end and position > voiced_before:
                resumed(voiced_before, position)
            position = end

    def _while_silent(self, start: int, end: int, probability: float, threshold: float) -> Started | None:
        if probability < threshold:
            self._onset = None
            return None
        if self._onset is None:
            self._onset = start
        if end - self._onset < MIN_SPEECH_MS * self._rate_hz // 1000:
            return None
        self.speaking, self.voiced_until = True, end
        onset, self._onset = self._onset, None
        return Started(onset)

    def _while_speaking(self, end: int, probability: float, threshold: float, silence_ms: int) -> Stopped | None:
        if probability >= max(threshold - RELEASE, 0.01):
            self.voiced_until = end
            return None
        if end - self.voiced_until < silence_ms * self._rate_hz // 1000:
            return None
        self.speaking = False
        return Stopped(end, self.voiced_until)
