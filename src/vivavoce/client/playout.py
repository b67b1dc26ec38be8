"""What a listener hears, and when: replies played at 24 kHz from their first arrival.

The model is a player without a jitter buffer: a piece starts when it arrives or when the one before it ends, whichever
is later. A piece that comes too late leaves a gap, and each gap is one underrun.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.types import Samples

AUDIBLE_AMPLITUDE = 0.01
"""A sample this loud (1 = full scale, so -40 dBFS) can be heard; softer ones count as leading silence."""

_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class PlayedPiece:
    """One audio delta: when it arrived, when it starts to sound, and its samples."""

    arrived_s: float
    starts_s: float
    samples: Samples


@dataclass(slots=True)
class Playout:
    """The playback of one response. Times are seconds on the clock the arrivals were stamped with."""

    rate_hz: int = WIRE_RATE_HZ
    pieces: list[PlayedPiece] = field(default_factory=list)
    underruns: int = 0
    gap_ms: float = 0.0

    def add(self, samples: Samples, arrived_s: float) -> None:
        """Queue the next piece. Empty pieces are ignored."""
        if not len(samples):
            return
        ends_s = self.ends_s
        starts_s = arrived_s if ends_s is None else max(arrived_s, ends_s)
        if ends_s is not None and arrived_s - ends_s > _ROUNDING_S:
            self.underruns += 1
            self.gap_ms += (arrived_s - ends_s) * 1000.0
        self.pieces.append(PlayedPiece(arrived_s, starts_s, samples))

    @property
    def starts_s(self) -> float | None:
        """When the first sample sounds; ``None`` without audio."""
        return self.pieces[0].starts_s if self.pieces else None

    @property
    def ends_s(self) -> float | None:
        """When the last sample so far has sounded; ``None`` without audio."""
        if not self.pieces:
            return None
        last = self.pieces[-1]
        return last.starts_s + len(last.samples) / self.rate_hz

    @property
    def samples(self) -> Samples:
        """All audio in order, ``float32[n]``, without the gaps."""
        return np.concatenate([piece.samples for piece in self.pieces]) if self.pieces else np.zeros(0, np.float32)

    @property
    def duration_ms(self) -> float:
        """Length of the audio, gaps not counted."""
        return sum(len(piece.samples) for piece in self.pieces) * 1000.0 / self.rate_hz

    def first_audible_s(self, amplitude: float = AUDIBLE_AMPLITUDE) -> float | None:
        """When the first sample of at least ``amplitude`` sounds; ``None`` when nothing is that loud."""
        for piece in self.pieces:
            loud = np.abs(piece.samples) >= amplitude
            if loud.any():
                return piece.starts_s + int(loud.argmax()) / self.rate_hz
        return None

    def leading_silence_ms(self, amplitude: float = AUDIBLE_AMPLITUDE) -> float | None:
        """From the first sample played to the first audible one; ``None`` when nothing is audible."""
        audible_s = self.first_audible_s(amplitude)
        if audible_s is None or self.starts_s is None:
            return None
        return (audible_s - self.starts_s) * 1000.0
