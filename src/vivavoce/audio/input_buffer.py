"""What the server has heard, addressed in samples since the session began.

Audio arrives in the client's format and is kept once, as the engines hear it: mono ``float32`` at ``rate_hz``. Positions
never restart, so ``audio_start_ms`` and ``audio_end_ms`` are positions turned into milliseconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.audio.formats import open_decoder
from vivavoce.types import Samples


@dataclass(frozen=True, slots=True)
class Frames:
    """Whole detector frames: ``float32[k, frame_samples]`` beginning at sample ``position``."""

    position: int
    frames: Samples


class InputBuffer:
    """The session's ear: appended bytes in, samples by position out."""

    def __init__(self, *, format: AudioFormat, rate_hz: int, frame_samples: int) -> None:
        self.rate_hz = rate_hz
        self._frame_samples = frame_samples
        self._format = format
        self._decoder = open_decoder(format, rate_hz)
        self._chunks: deque[Samples] = deque()
        self._start = 0
        self._end = 0
        self._framed = 0

    @property
    def start(self) -> int:
        """Position of the oldest sample kept."""
        return self._start

    @property
    def end(self) -> int:
        """Position after the newest sample."""
        return self._end

    @property
    def framed(self) -> int:
        """Position after the newest sample that ``take_frames`` has given."""
        return self._framed

    @property
    def duration_ms(self) -> int:
        """How much audio is kept."""
        return self.to_ms(self._end - self._start)

    @property
    def received_ms(self) -> int:
        """How much audio is kept, with what resampling holds back."""
        return self.to_ms(self._end - self._start + self._decoder.buffered_samples)

    def to_ms(self, samples: int) -> int:
        """A sample count as milliseconds."""
        return samples * 1000 // self.rate_hz

    def to_samples(self, milliseconds: int) -> int:
        """Milliseconds as a sample count."""
        return milliseconds * self.rate_hz // 1000

    def set_format(self, format: AudioFormat) -> None:
        """What is appended from now on comes in ``format``; no sample of what came before is lost."""
        if format != self._format:
            self.finish()
            self._format, self._decoder = format, open_decoder(format, self.rate_hz)

    def append(self, audio: bytes) -> int:
        """Add audio in the client's format; returns how many samples came of it.

        Raises ``ClientError`` on half a sample, and on what is not of the format.
        """
        samples = self._decoder.push(audio)
        self._keep(samples)
        return len(samples)

    def finish(self) -> None:
        """This was all for now: take in the last few milliseconds, which resampling holds back for what would follow."""
        self._keep(self._decoder.flush())

    def take_frames(self) -> Frames | None:
        """The whole frames not taken yet, or ``None``. Each sample is given once, in order."""
        position = max(self._framed, self._start)
        count = (self._end - position) // self._frame_samples
        if count == 0:
            return None
        stop = position + count * self._frame_samples
        self._framed = stop
        return Frames(position, self.slice(position, stop).reshape(count, self._frame_samples))

    def slice(self, start: int, stop: int) -> Samples:
        """Samples from ``start`` to ``stop``, as far as they are kept."""
        pieces: list[Samples] = []
        position = self._end
        for chunk in reversed(self._chunks):  # what is asked for most is what came last
            if position <= start:
                break
            position -= len(chunk)
            begin, end = max(start - position, 0), min(stop - position, len(chunk))
            if begin < end:
                pieces.append(chunk[begin:end])
        return np.concatenate(pieces[::-1]) if pieces else np.zeros(0, np.float32)

    def forget(self, before: int) -> None:
        """Drop samples before position ``before``."""
        while self._chunks and self._start < before:
            chunk = self._chunks[0]
            drop = min(before - self._start, len(chunk))
            if drop == len(chunk):
                self._chunks.popleft()
            else:
                self._chunks[0] = chunk[drop:]
            self._start += drop

    def _keep(self, samples: Samples) -> None:
        if len(samples):
            self._chunks.append(samples)
            self._end += len(samples)
