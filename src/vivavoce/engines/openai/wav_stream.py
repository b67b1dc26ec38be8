"""Speech as it comes over HTTP: headerless PCM16, or a wav file whose end is not there yet. Pure."""

from __future__ import annotations

import struct

import numpy as np

from vivavoce.audio.pcm import decode_pcm16
from vivavoce.types import Samples

_PCM, _EXTENSIBLE = 1, 0xFFFE
_HEADER_BYTES = 4096
"""In which the data of a wav file must begin."""


class NoAudioError(ValueError):
    """What came is neither."""


class PcmReader:
    """Bytes in, mono samples out. ``rate_hz`` is what was asked for, until a header says something else."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._channels = 1
        self._begun = False
        self._held = b""

    def feed(self, data: bytes) -> Samples:
        """More of the audio. Raises ``NoAudioError`` for another format."""
        self._held += data
        if not self._begun and not self._begin():
            return np.zeros(0, np.float32)
        whole = len(self._held) - len(self._held) % (2 * self._channels)
        samples, self._held = decode_pcm16(self._held[:whole]), self._held[whole:]
        return samples if self._channels == 1 else samples.reshape(-1, self._channels).mean(axis=1, dtype=np.float32)

    def _begin(self) -> bool:
        """Take the header off, if there is one; whether it is known by now."""
        if len(self._held) < 4:
            return False
        if self._held.startswith((b"ID3", b"OggS", b"fLaC", b"{", b"<")):
            raise NoAudioError("no PCM")
        if self._held[:4] != b"RIFF":
            self._begun = True
            return True
        at = 12
        while len(self._held) >= at + 8:
            name, size = self._held[at : at + 4], struct.unpack_from("<I", self._held, at + 4)[0]
            if name == b"data":
                self._held, self._begun = self._held[at + 8 :], True
                return True
            if name == b"fmt " and len(self._held) >= at + 24:
                kind, self._channels, self.rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", self._held, at + 8)
                if kind not in (_PCM, _EXTENSIBLE) or bits != 16 or not self._channels:
                    raise NoAudioError(f"a wav file of format {kind} with {bits} bits")
            at += 8 + size + size % 2
        if len(self._held) > _HEADER_BYTES:
            raise NoAudioError("a wav file without data")
        return False
