"""The wire's audio formats ↔ samples at a rate of ours, as streams: pieces may be cut anywhere.

One ``AudioDecoder`` or ``AudioEncoder`` follows one stream. ``flush`` ends it and makes room for the next one.
"""

from __future__ import annotations

from collections.abc import Callable

from vivavoce.audio.g711 import decode_g711, encode_g711
from vivavoce.audio.pcm import count_pcm16, decode_pcm16, encode_pcm16
from vivavoce.audio.resample import Resampler
from vivavoce.protocol.session_config import AudioFormat, Encoding
from vivavoce.types import Samples

_DECODERS: dict[Encoding, Callable[[bytes], Samples]] = {
    "pcm16": decode_pcm16,
    "g711_ulaw": lambda data: decode_g711(data, "ulaw"),
    "g711_alaw": lambda data: decode_g711(data, "alaw"),
}

_ENCODERS: dict[Encoding, Callable[[Samples], bytes]] = {
    "pcm16": encode_pcm16,
    "g711_ulaw": lambda samples: encode_g711(samples, "ulaw"),
    "g711_alaw": lambda samples: encode_g711(samples, "alaw"),
}


def duration_ms(audio: bytes, format: AudioFormat) -> int:
    """How long wire bytes last. Raises ``ClientError`` when they end within a sample."""
    samples = count_pcm16(audio) if format.encoding == "pcm16" else len(audio)
    return samples * 1000 // format.rate_hz


class AudioDecoder:
    """Wire bytes in, ``float32[n]`` at ``rate_hz`` out."""

    def __init__(self, format: AudioFormat, rate_hz: int) -> None:
        self._decode = _DECODERS[format.encoding]
        self._resampler = Resampler(format.rate_hz, rate_hz)

    def push(self, data: bytes) -> Samples:
        """What ``data`` adds. Raises ``ClientError`` when it ends within a sample; nothing is taken in then."""
        return self._resampler.push(self._decode(data))

    def flush(self) -> Samples:
        """The stream's last few milliseconds; what is pushed next begins a new stream."""
        return self._resampler.flush()


class AudioEncoder:
    """``float32[n]`` at ``source_hz`` in, wire bytes out: whole samples always."""

    def __init__(self, format: AudioFormat, source_hz: int) -> None:
        self._encode = _ENCODERS[format.encoding]
        self._resampler = Resampler(source_hz, format.rate_hz)

    def push(self, samples: Samples) -> bytes:
        """What ``samples`` add to the output."""
        return self._encode(self._resampler.push(samples))

    def flush(self) -> bytes:
        """The stream's last few milliseconds; what is pushed next begins a new stream."""
        return self._encode(self._resampler.flush())
