"""Whispered speech: the sound of the vocal tract stays, the voice goes. For any synthesizer's signal, as it comes.

A whisper is noise where speech has a voice. The envelope of each short spectrum, which is the vocal tract's, is kept by
smoothing the spectrum in the cepstrum, below the shortest period of a voice (homomorphic analysis, Oppenheim and Schafer);
noise takes the place of what it was the envelope of. The low end goes with the voice: a whisper's source is flat where a
voice's falls by some 12 dB an octave (Tartter, 1989: What's in a whisper?).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Samples

FRAME_S = 0.032
OVERLAP = 4
"""So many frames share each sample."""

SHORTEST_PERIOD_S = 1 / 480
"""What repeats faster is no voice: the cepstrum below it is the vocal tract."""

CORNER_HZ = 900.0
"""Below it the whisper falls off by 6 dB an octave against the voice it came from."""

GAIN = 4.0
"""Makes the whisper about as loud as the voice it came from: it has lost the low end, where most of the energy was."""

SEED = 0
"""A fixed seed whispers the same clause the same way each time."""


class Whisperer:
    """Pieces of speech in, the same pieces whispered out, a frame later: ``push`` … ``finish``. Blocking, 1 % of real time."""

    def __init__(self, rate_hz: int) -> None:
        self._size = 1 << round(float(np.log2(FRAME_S * rate_hz)))
        self._hop = self._size // OVERLAP
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._scale = np.float32(GAIN / np.sum(self._window[:: self._hop] ** 2))
        self._quefrencies = max(1, int(SHORTEST_PERIOD_S * rate_hz))
        frequencies = np.fft.rfftfreq(self._size, 1 / rate_hz)
        self._falloff = (frequencies / np.hypot(frequencies, CORNER_HZ)).astype(np.float32)
        self._noise = np.random.default_rng(SEED)
        self._waiting = np.zeros(self._size - self._hop, np.float32)
        self._sum = np.zeros(self._size - self._hop, np.float32)
        self._late = self._size - self._hop
        self._in = self._out = 0

    def push(self, samples: Samples) -> Samples:
        """What is whispered for certain, ``float32[m]``."""
        self._in += len(samples)
        waiting = np.concatenate([self._waiting, samples])
        count = max(0, (len(waiting) - self._size) // self._hop + 1)
        if not count:
            self._waiting = waiting
            return np.zeros(0, np.float32)
        self._waiting = waiting[count * self._hop :]
        frames = np.lib.stride_tricks.sliding_window_view(waiting, self._size)[:: self._hop][:count]
        return self._delivered(self._overlapped(self._whispered(frames)))

    def finish(self) -> Samples:
        """The rest: as many samples have come out as went in."""
        rest = self.push(np.zeros(self._size, np.float32))
        self._in -= self._size
        return rest[: len(rest) - (self._out - self._in)] if self._out > self._in else rest

    def _whispered(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """``float32[count, size]``: noise of the envelope of each frame, windowed."""
        spectra = np.fft.rfft(frames * self._window, axis=1)
        levels = np.log(np.abs(spectra) + 1e-7)
        cepstra = np.fft.irfft(levels, self._size, axis=1)
        cepstra[:, self._quefrencies : self._size - self._quefrencies + 1] = 0
        envelope = np.exp(np.fft.rfft(cepstra, axis=1).real) * self._falloff
        excitation = np.fft.rfft(self._noise.standard_normal(frames.shape) * self._window, axis=1)
        whispered = np.fft.irfft(envelope * excitation, self._size, axis=1) / np.sqrt(np.sum(self._window**2))
        return np.asarray(whispered * self._window, np.float32)

    def _overlapped(self, frames: NDArray[np.float32]) -> Samples:
        total = np.zeros(self._size + (len(frames) - 1) * self._hop, np.float32)
        total[: len(self._sum)] = self._sum
        for at, frame in enumerate(frames):
            total[at * self._hop : at * self._hop + self._size] += frame
        whole = len(frames) * self._hop
        self._sum = total[whole:]
        return total[:whole] * self._scale

    def _delivered(self, samples: Samples) -> Samples:
        """Without the silence before the first sample, which the first frames overlap."""
        cut = min(self._late, len(samples))
        self._late -= cut
        samples = samples[cut:]
        self._out += len(samples)
        return samples
