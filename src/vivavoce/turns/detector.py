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

HANGOVER_MS = 128
"""How long the probability may stay high after a voice has ended. On 18 recordings of people Silero noticed the end 106 ms
(median) after the last sample above 0.015; up to the last frame that is not quiet it is 40 ms."""

QUIET = 10 ** (-30 / 20)
"""A frame is quiet that is 30 dB below the loudest one of late: a room's echo, not a syllable."""

LOUDNESS_DECAY = 10 ** (-6 / 20 * 0.032)
"""What is left of the loudest level after a frame of 32 ms: 6 dB a second, so that a knock is soon forgotten."""


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
        self.voiced_until = self._audible_until = 0
        self._loudest = 0.0

    def hear(
        self,
        position: int,
        probabilities: Sequence[float],
        *,
        threshold: float,
        silence_ms: Callable[[], int],
        resumed: Callable[[int, int], None] = lambda _paused_until, _voiced_from: None,
        levels: Sequence[float] | None = None,
    ) -> Iterator[Boundary]:
        """The boundaries in frames that begin at sample ``position``. ``silence_ms`` tells how much silence ends speech;
        ``resumed`` is told of a pause that did not, by the samples at its beginning and its end. With the ``levels`` of the
        frames (RMS), a pause begins where the voice has ended, at most ``HANGOVER_MS`` before that is noticed.
        """
        for index, probability in enumerate(probabilities):
            end = position + self.frame_samples
            voiced_before = self.voiced_until
            boundary = (
                self._while_speaking(end, probability, threshold, silence_ms())
                if self.speaking
                else self._while_silent(position, end, probability, threshold)
            )
            if self.speaking and self.voiced_until == end:
                self._follow_level(end, None if levels is None else levels[index])
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
        if self.voiced_until == end - self.frame_samples:  # the first silent frame
            hangover = HANGOVER_MS * self._rate_hz // 1000
            self.voiced_until = max(self._audible_until, self.voiced_until - hangover)
        if end - self.voiced_until < silence_ms * self._rate_hz // 1000:
            return None
        self.speaking = False
        return Stopped(end, self.voiced_until)

    def _follow_level(self, end: int, level: float | None) -> None:
        """Remember whether the voiced frame that ends at ``end`` can be heard."""
        if level is not None:
            self._loudest = max(level, self._loudest * LOUDNESS_DECAY)
        if level is None or level >= self._loudest * QUIET:
            self._audible_until = end
