"""Samples → the files a client asks for, while they are being made: wav, mp3, flac, Ogg Opus, AAC (ADTS), headerless PCM16.

Nothing is held back for long: what comes out of a ``write`` is all that is known for sure by then, which is everything but
one frame of the codec (at most 0.15 s of audio). A stream cannot go back to its beginning, so its wav header says "as long
as it goes" (both sizes 0xFFFFFFFF, as FFmpeg writes into a pipe) and its flac header leaves the length open; ``encode``
makes whole files, with the right sizes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, Protocol, cast

import av
import numpy as np

from vivavoce.audio.pcm import BYTES_PER_SAMPLE, encode_pcm16
from vivavoce.audio.resample import Resampler
from vivavoce.types import Samples

FileFormat = Literal["wav", "mp3", "flac", "opus", "pcm", "aac"]

CONTENT_TYPES: Mapping[FileFormat, str] = MappingProxyType(
    {
        "wav": "audio/wav",
        "mp3": "audio/mpeg",
        "flac": "audio/flac",
        "opus": "audio/ogg",
        "pcm": "audio/pcm",
        "aac": "audio/aac",
    }
)

RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""What every format can be made at."""

OPEN_ENDED = 0xFFFFFFFF
WAV_HEADER_BYTES = 44

_MUXERS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    # format → (container, codec, what the muxer is told). No Xing frame and no tag in a stream: both want to be corrected
    # at the end. No 8 KB of padding for tags before the first sound of a flac. Ogg pages otherwise hold a second back.
    "mp3": ("mp3", "libmp3lame", {"write_xing": "0", "id3v2_version": "0"}),
    "flac": ("flac", "flac", {"metadata_header_padding": "0"}),
    "opus": ("ogg", "libopus", {"page_duration": "60000"}),
    "aac": ("adts", "aac", {}),
}
_WHOLE_OPTIONS: Mapping[str, Mapping[str, str]] = {"mp3": {"write_xing": "1", "id3v2_version": "0"}}
_OPUS_RATES_HZ = (8000, 12000, 16000, 24000, 48000)
_BIT_RATES: Mapping[str, tuple[int, int]] = {"mp3": (64_000, 96_000), "opus": (40_000, 48_000), "aac": (64_000, 96_000)}
"""Bits a second of mono speech up to 24 kHz, and beyond."""


class _Writer(Protocol):
    def write(self, samples: Samples) -> bytes: ...
    def finish(self) -> bytes: ...


class Encoder:
    """One file in the making: ``write`` samples, ``finish`` once. Blocking: a second of audio takes some milliseconds."""

    def __init__(self, format: FileFormat, rate_hz: int) -> None:
        """``rate_hz`` is that of the samples and of the file. Raises ``ValueError`` for one no format has.

        Ogg Opus knows no 22.05 or 44.1 kHz: those are resampled to the next rate it has.
        """
        if rate_hz not in RATES_HZ:
            raise ValueError(f"{rate_hz} Hz is none of {RATES_HZ}")
        self._writer: _Writer
        if format in ("wav", "pcm"):
            self._writer = _Plain(wav_header(rate_hz) if format == "wav" else b"")
        else:
            self._writer = _Muxed(format, rate_hz, io.BytesIO(), seekable=False)

    def write(self, samples: Samples) -> bytes:
        """What ``samples`` (``float32[n]``) add to the file; may be empty."""
        return self._writer.write(samples)

    def finish(self) -> bytes:
        """The end of the file; nothing is written afterwards."""
        return self._writer.finish()


def encode(samples: Samples, format: FileFormat, rate_hz: int) -> bytes:
    """A whole file, its header complete. Blocking. Raises ``ValueError`` as ``Encoder`` does."""
    if format not in _MUXERS:
        data = encode_pcm16(samples)
        return wav_header(rate_hz, len(data)) + data if format == "wav" else data
    file = io.BytesIO()
    writer = _Muxed(format, rate_hz, file, seekable=True)
    writer.write(samples)
    writer.finish()
    return file.getvalue()


def wav_header(rate_hz: int, data_bytes: int | None = None) -> bytes:
    """The header of a mono PCM16 wav; without ``data_bytes`` that of a stream, whose length nobody knows yet."""
    riff = OPEN_ENDED if data_bytes is None else WAV_HEADER_BYTES - 8 + data_bytes
    chunk = OPEN_ENDED if data_bytes is None else data_bytes
    fields = np.array(
        [(b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, BYTES_PER_SAMPLE, 16, b"data", chunk)],
        "S4,<u4,S4,S4,<u4,<u2,<u2,<u4,<u4,<u2,<u2,S4,<u4",
    )
    return fields.tobytes()


class _Plain:
    """PCM16, after a header or none."""

    def __init__(self, header: bytes) -> None:
        self._header = header

    def write(self, samples: Samples) -> bytes:
        header, self._header = self._header, b""
        return header + encode_pcm16(samples)

    def finish(self) -> bytes:
        header, self._header = self._header, b""
        return header


class _Pipe:
    """Where a muxer writes; it cannot seek, because what is written may have been sent."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self._buffer += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._buffer)
        self._buffer.clear()
        return data


class _Muxed:
    """A codec and its container. ``whole``: into ``file``, where the header can still be put right."""

    def __init__(self, format: str, rate_hz: int, file: io.BytesIO, *, seekable: bool) -> None:
        container, codec, options = _MUXERS[format]
        if seekable:
            options = _WHOLE_OPTIONS.get(format, options)
        coded_hz = next(rate for rate in _OPUS_RATES_HZ if rate >= rate_hz) if format == "opus" else rate_hz
        self._resampler = Resampler(rate_hz, coded_hz)
        self._rate_hz = coded_hz
        self._at = 0
        self._pipe = _Pipe()
        self._container = av.open(
            file if seekable else self._pipe, "w", format=container, options={"flush_packets": "1", **options}
        )
        stream = self._container.add_stream(codec, rate=coded_hz, layout="mono")
        self._stream = cast("av.AudioStream", stream)
        if format in _BIT_RATES:
            self._stream.bit_rate = _BIT_RATES[format][coded_hz > 24_000]

    def write(self, samples: Samples) -> bytes:
        self._encode_samples(self._resampler.push(samples))
        return self._pipe.take()

    def finish(self) -> bytes:
        self._encode_samples(self._resampler.flush())
        self._mux(self._stream.encode(None))
        self._container.close()
        return self._pipe.take()

    def _encode_samples(self, samples: Samples) -> None:
        if not len(samples):
            return
        planes: Any = np.clip(samples, -1.0, 1.0).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="mono")
        frame.sample_rate = self._rate_hz
        frame.time_base = Fraction(1, self._rate_hz)
        frame.pts = self._at
        self._at += len(samples)
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[Any]) -> None:
        if packets:
            self._container.mux(packets)
