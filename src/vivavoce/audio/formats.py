"""The wire's audio formats ↔ samples at a rate of ours, as streams: pieces may be cut anywhere.

One ``AudioDecoder`` or ``AudioEncoder`` follows one stream. ``flush`` ends it and makes room for the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vivavoce.audio.audio_format import AudioFormat, Encoding
from vivavoce.audio.g711 import decode_g711, encode_g711
from vivavoce.audio.ogg import MAX_OGG_BYTES, OggOpusDecoder
from vivavoce.audio.pcm import count_pcm16, decode_pcm16, encode_pcm16
from vivavoce.audio.resample import Resampler
from vivavoce.errors import ClientError
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


class StreamDecoder(Protocol):
    """Follows one stream: wire bytes in, ``float32[n]`` out."""

    def push(self, data: bytes) -> Samples:
        """What ``data`` adds. Raises ``ClientError`` when it is not of the format."""

    def flush(self) -> Samples:
        """The stream's last few milliseconds; what is pushed next begins a new stream."""

    @property
    def buffered_samples(self) -> int:
        """Samples that have come and are not given yet, as far as that is known before they are decoded."""


def open_decoder(format: AudioFormat, rate_hz: int) -> StreamDecoder:
    """Reads a stream of this format at ``rate_hz``."""
    return OggOpusDecoder(rate_hz) if format.encoding == "ogg_opus" else AudioDecoder(format, rate_hz)


def duration_ms(audio: bytes, format: AudioFormat) -> int:
    """How long wire bytes last; 0 for Ogg, which tells only when it is decoded.

    Raises ``ClientError`` when they end within a sample, or are more Ogg than is decoded at once.
    """
    if format.encoding == "ogg_opus":
        if len(audio) > MAX_OGG_BYTES:
            raise ClientError(f"An append may have {MAX_OGG_BYTES} bytes of Ogg.", param="audio")
        return 0
    samples = count_pcm16(audio) if format.encoding == "pcm16" else len(audio)
    return samples * 1000 // format.rate_hz


class AudioDecoder:
    """PCM and G.711: wire bytes in, ``float32[n]`` at ``rate_hz`` out."""

    def __init__(self, format: AudioFormat, rate_hz: int) -> None:
        self._decode = _DECODERS[format.encoding]
        self._resampler = Resampler(format.rate_hz, rate_hz)

    def push(self, data: bytes) -> Samples:
        """What ``data`` adds. Raises ``ClientError`` when it ends within a sample; nothing is taken in then."""
        return self._resampler.push(self._decode(data))

    def flush(self) -> Samples:
        """The stream's last few milliseconds; what is pushed next begins a new stream."""
        return self._resampler.flush()

    @property
    def buffered_samples(self) -> int:
        """Samples that resampling holds back."""
        return self._resampler.buffered_samples


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
