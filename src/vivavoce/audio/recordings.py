"""Any recording → samples: wav, mp3, flac, ogg (Opus, Vorbis, FLAC), m4a/mp4, aac, webm/mkv, and headerless PCM.

Files come from outside. So only these demuxers may look at them (others follow playlists to other files and addresses) and only
these decoders open them (covers and video are not looked at), what a file is follows from its content and never from its
name, and decoding stops as soon as there is more than asked for: memory grows with the result alone, and nothing is written
anywhere. The server does all of it in a child process (``runtime/decoding.py``).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.downmix import Downmix
from vivavoce.audio.gathering import GatheredSamples
from vivavoce.audio.mp3 import counted_s
from vivavoce.audio.resample import Resampler
from vivavoce.errors import ClientError
from vivavoce.types import Samples

FORMATS = ("wav", "mp3", "flac", "ogg", "mov,mp4,m4a,3gp,3g2,mj2", "aac", "matroska,webm")
"""FFmpeg's demuxers that may be used; ``matroska,webm`` and the like are one each."""

_PCM = (
    "u8",
    "s8",
    "mulaw",
    "alaw",
    *(f"{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")),
)
CODECS = frozenset(
    {
        "mp3", "mp3float", "mp2", "mp2float", "mp1", "mp1float", "aac", "aac_latm", "alac", "flac", "opus", "vorbis", "speex",
        "amrnb", "amrwb", "adpcm_ms", "adpcm_ima_wav", "gsm_ms", *(f"pcm_{kind}" for kind in _PCM),
    }
)  # fmt: skip
"""FFmpeg's decoders that may be used. FFmpeg opens a stream's decoder to find out what the stream is, a cover's as well: one of
16000 × 16000 points takes 244 MB. What is not in this list it does not open."""

MIN_HZ, MAX_HZ = 4_000, 768_000
MAX_CHANNELS = 64
_STATES_ITS_LENGTH = frozenset({"flac", "mov,mp4,m4a,3gp,3g2,mj2"})
"""Formats whose header, as FFmpeg reads it, says exactly how long they are, so that a file that was cut off can be told.

So does wav, by its size. Any beginning of an mp3, ogg, aac or webm is a valid recording.
"""

_TOO_LONG_BY_S = 1.0
"""A length that is this much above the bound is believed; what is nearer is decoded, and counted."""

_CUT_OFF_S, _CUT_OFF_SHARE = 0.5, 0.02
"""How much may be missing (codecs' priming, edit lists) before a file counts as cut off: the larger of the two."""

_OPEN_ENDED_BYTES = 0x7FFF0000
"""Streaming programs write sizes from here to 0xFFFFFFFF into a wav header, when they do not know the length yet."""

_RAW_FORMATS: Mapping[int, str] = MappingProxyType({8: "u8", 16: "s16le", 24: "s24le", 32: "s32le"})


@dataclass(frozen=True, slots=True)
class RawFormat:
    """Headerless PCM, little-endian, channels interleaved: signed with 16, 24 or 32 ``bits``, unsigned with 8."""

    rate_hz: int
    channels: int = 1
    bits: int = 16


def read_recording(
    source: bytes | BinaryIO | Path,
    *,
    rate_hz: int,
    max_s: float,
    raw: RawFormat | None = None,
    channel: int | None = None,
) -> Samples:
    """All of ``recording_pieces`` as one array, decoded in this process. Blocking; for recordings of one's own."""
    gathered = GatheredSamples(int(max_s * rate_hz))
    for piece in recording_pieces(source, rate_hz=rate_hz, max_s=max_s, raw=raw, channel=channel):
        gathered.add(piece)
    return gathered.samples()


def recording_pieces(
    source: bytes | BinaryIO | Path,
    *,
    rate_hz: int,
    max_s: float,
    raw: RawFormat | None = None,
    channel: int | None = None,
) -> Iterator[Samples]:
    """The recording as mono ``float32[n]`` at ``rate_hz``: its channels as ``Downmix`` joins them, or one ``channel`` (from 0).

    ``source`` can seek; one that is open already stays open. Raises ``ClientError``: ``unsupported_format`` for what is none
    of ``FORMATS`` and ``CODECS``, ``invalid_audio`` for what is empty, damaged, cut off or holds no sound (some of which shows
    only at the end), ``audio_too_long`` for more than ``max_s`` seconds, ``no_such_channel``.
    """
    with ExitStack() as stack:
        if isinstance(source, Path):
            file: BinaryIO = stack.enter_context(source.open("rb"))
        else:
            file = io.BytesIO(source) if isinstance(source, bytes) else source
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if not size:
            raise ClientError("The audio is empty.", code="invalid_audio")
        there = min(1.0, size / _stated_bytes(file.read(8), size)) if raw is None else 1.0
        counted = counted_s(file, size)
        file.seek(0)
        container = stack.enter_context(_opened(file, size, raw))
        if _duration_from_header(container, size, counted) > max_s + _TOO_LONG_BY_S:
            raise _too_long(max_s)
        yield from _Decoding(container, rate_hz, max_s, there, channel).pieces()


def _duration_from_header(container: av.container.InputContainer, size: int, counted: float | None) -> float:
    """How long the recording certainly is at least, before it is decoded. ``counted``: by its count, if it is an mp3.

    Of ogg and webm nothing is certain: what was taken of a live stream begins hours into its clock, and a beginning tells the
    length of the whole. Of wav it is for plain samples, and a header can promise more of them than there are.
    """
    if not container.streams.audio:
        return 0.0
    stream, format = container.streams.audio[0], container.format.name
    stated_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base is not None else 0.0
    if format in _STATES_ITS_LENGTH:
        return stated_s
    if format == "mp3":
        return counted or 0.0
    codec = stream.codec_context
    is_pcm = codec.name.startswith("pcm_") and codec.format is not None and codec.channels > 0
    if is_pcm and codec.sample_rate >= MIN_HZ:
        return min(stated_s, size / (codec.format.bytes * codec.channels * codec.sample_rate))
    return 0.0


def _stated_bytes(head: bytes, size: int) -> int:
    """How large a wav says it is; ``size`` for other files, and for a wav that does not know."""
    stated = int.from_bytes(head[4:8], "little")
    return stated + 8 if head[:4] == b"RIFF" and 0 < stated < _OPEN_ENDED_BYTES else size


def _opened(file: BinaryIO, size: int, raw: RawFormat | None) -> av.container.InputContainer:
    try:
        if raw is None:
            allowed = {"format_whitelist": ",".join(FORMATS), "codec_whitelist": ",".join(sorted(CODECS))}
            return av.open(file, "r", options=allowed, metadata_errors="replace")
        options = {"sample_rate": str(raw.rate_hz), "ch_layout": f"{raw.channels}c"}
        return av.open(file, "r", format=_raw_format(raw, size), options=options)
    except (av.FFmpegError, ValueError) as error:
        raise ClientError(
            "The audio is none of wav, mp3, flac, ogg, m4a, aac and webm, or its beginning is damaged.",
            code="unsupported_format",
        ) from error


def _raw_format(raw: RawFormat, size: int) -> str:
    """FFmpeg's name for headerless PCM. Raises ``ClientError`` for what cannot be read so."""
    if raw.bits not in _RAW_FORMATS:
        raise ClientError(f"PCM of {raw.bits} bits is not supported; 8, 16, 24 and 32 are.", code="unsupported_format")
    _check_shape(raw.rate_hz, raw.channels)
    if size % (raw.channels * raw.bits // 8):
        raise ClientError("The PCM audio ends within a sample.", code="invalid_audio")
    return _RAW_FORMATS[raw.bits]


def _check_shape(rate_hz: int, channels: int) -> None:
    if not MIN_HZ <= rate_hz <= MAX_HZ:
        raise ClientError(
            f"Audio of {rate_hz} Hz is not supported; {MIN_HZ} to {MAX_HZ} Hz are.", code="unsupported_format"
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise ClientError(
            f"Audio of {channels} channels is not supported; 1 to {MAX_CHANNELS} are.", code="unsupported_format"
        )


def _too_long(max_s: float) -> ClientError:
    return ClientError(f"The audio is longer than {max_s:g} s.", code="audio_too_long")


class _Decoding:
    """One file being read, piece by piece. ``there`` is the share of its bytes that are there, as its size tells."""

    def __init__(
        self,
        container: av.container.InputContainer,
        rate_hz: int,
        max_s: float,
        there: float,
        channel: int | None,
    ) -> None:
        if not container.streams.audio:
            raise ClientError("The file has no sound track.", code="invalid_audio")
        self._container = container
        self._stream = container.streams.audio[0]
        if self._stream.codec_context is None or self._stream.codec_context.codec.name not in CODECS:
            raise ClientError("The audio's codec is not supported.", code="unsupported_format")
        self._rate_hz = rate_hz
        self._max_s = max_s
        self._there = there
        self._channel = channel
        self._remaining = int(max_s * rate_hz)
        self._mixer: _Mixer | None = None
        self._good = self._bad = 0
        self._decoded_s = 0.0

    def pieces(self) -> Iterator[Samples]:
        """All of it. Raises ``ClientError``."""
        for frame in self._frames():
            self._good += 1
            self._decoded_s += frame.samples / frame.sample_rate if frame.sample_rate else 0.0
            if self._mixer is None or not self._mixer.fits(frame):
                yield from self._end_mix()
                self._mixer = _Mixer(frame, self._rate_hz, self._channel)
            yield from self._consume(self._mixer.push(frame))
        yield from self._end_mix()
        if self._bad > self._good:
            raise ClientError("The audio is damaged: most of it cannot be decoded.", code="invalid_audio")
        if self._remaining == int(self._max_s * self._rate_hz):
            raise ClientError("The file holds no sound.", code="invalid_audio")
        self._check_complete()

    def _frames(self) -> Iterator[av.AudioFrame]:
        """What can be decoded; a damaged packet is left out, as players do (a radio stream begins within one)."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                self._bad += 1
                return
            try:
                yield from packet.decode()
            except av.EOFError:
                return
            except av.FFmpegError:
                self._bad += 1

    def _end_mix(self) -> Iterator[Samples]:
        if self._mixer is not None:
            yield from self._consume(self._mixer.flush())

    def _consume(self, samples: Samples) -> Iterator[Samples]:
        if len(samples) > self._remaining:
            raise _too_long(self._max_s)
        self._remaining -= len(samples)
        if len(samples):
            yield np.clip(samples, -1.0, 1.0)

    def _check_complete(self) -> None:
        """A file that says it is longer than what could be decoded was cut off on its way here."""
        stated_s = self._decoded_s / self._there
        stream = self._stream
        if self._container.format.name in _STATES_ITS_LENGTH and stream.duration and stream.time_base is not None:
            stated_s = float(stream.duration * stream.time_base)
        if stated_s - self._decoded_s > max(_CUT_OFF_S, stated_s * _CUT_OFF_SHARE):
            raise ClientError(
                f"The audio is cut off: it should be {stated_s:.1f} s long and ends after {self._decoded_s:.1f} s.",
                code="invalid_audio",
            )


class _Mixer:
    """Frames of one shape → mono at another rate. Chained files change their shape in the middle: then a new one begins."""

    def __init__(self, frame: av.AudioFrame, rate_hz: int, channel: int | None) -> None:
        channels = len(frame.layout.channels)
        _check_shape(frame.sample_rate, channels)
        if channel is not None and channel >= channels:
            raise ClientError(f"The audio has {channels} channels.", code="no_such_channel")
        self._channel = channel
        self._shape = _shape(frame)
        self._downmix = Downmix(frame.sample_rate)
        self._to_float = av.AudioResampler(format="flt", rate=frame.sample_rate)
        self._resampler = Resampler(frame.sample_rate, rate_hz)

    def fits(self, frame: av.AudioFrame) -> bool:
        """Whether the frame has the shape this mixer was made for."""
        return _shape(frame) == self._shape

    def push(self, frame: av.AudioFrame) -> Samples:
        """What the frame adds."""
        # The mean of the channels: FFmpeg's own downmix makes what is on both of them 3 dB louder.
        pieces = [self._mono(packed) for packed in self._to_float.resample(frame)]
        return self._resampler.push(np.concatenate(pieces)) if pieces else np.zeros(0, np.float32)

    def _mono(self, packed: av.AudioFrame) -> Samples:
        samples: NDArray[np.float32] = np.asarray(packed.to_ndarray(), np.float32)
        # A float file can hold anything; what is not a number would silence or spoil every model after it.
        samples = np.nan_to_num(samples.reshape(-1, len(packed.layout.channels)), nan=0.0, posinf=1.0, neginf=-1.0)
        return self._downmix(samples) if self._channel is None else samples[:, self._channel]

    def flush(self) -> Samples:
        """The last few milliseconds."""
        return self._resampler.flush()


def _shape(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
