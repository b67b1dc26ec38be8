"""Ogg Opus as it arrives, in pieces cut anywhere, → samples (RFC 3533, RFC 7845).

For whole files there is ``recordings``; a demuxer of FFmpeg's wants to read ahead, a live stream has nothing ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from vivavoce.audio.downmix import Downmix
from vivavoce.audio.resample import Resampler
from vivavoce.errors import ClientError
from vivavoce.types import Samples

OPUS_HZ = 48_000
"""What Opus is decoded at, whatever was recorded."""

_MARK = b"OggS"
_HEADER_BYTES = 27
_CONTINUED, _FIRST_PAGE = 1, 2
_WHOLE_SEGMENT = 255

MAX_OGG_BYTES = 32 * 1024
"""Of one append, some seconds: they are decoded at once, and more would take longer than others can wait."""

MAX_OGG_S = 60
"""Of one append as well: Opus can say a minute of silence in a kilobyte, and what is said has to be held."""

MAX_CHANNELS = 2
MAX_PACKET_BYTES = 256 * 1024
"""A packet of Opus has at most 61 KB; tags may hold a picture, and what is larger is no tags."""


class OggOpusDecoder:
    """One stream, or several in a row. ``float32[n]`` at ``rate_hz`` comes out: the channels as ``Downmix`` joins them."""

    def __init__(self, rate_hz: int) -> None:
        self._bytes = bytearray()
        self._packet = bytearray()
        self._packets = 0
        self._codec: Any = None
        self._downmix = Downmix(OPUS_HZ)
        self._resampler = Resampler(OPUS_HZ, rate_hz)

    def push(self, data: bytes) -> Samples:
        """What ``data`` adds. Raises ``ClientError`` when it is no Ogg Opus; what follows is read from a new beginning."""
        if _begins_a_stream(data):
            self._bytes.clear()  # half a page of a recording that was broken off
        self._bytes += data
        pieces: list[Samples] = []
        remaining = MAX_OGG_S * OPUS_HZ
        try:
            for samples in (samples for packet in self._complete() for samples in self._decoded(packet)):
                remaining -= len(samples)
                if remaining < 0:
                    raise ClientError(f"An append may hold {MAX_OGG_S} s of Ogg.", param="audio")
                pieces.append(self._resampler.push(samples))
        except ClientError:
            self._bytes.clear()
            self._packets = 0
            raise
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def flush(self) -> Samples:
        """What the resampler holds back; the pages of the stream may go on."""
        return self._resampler.flush()

    @property
    def buffered_samples(self) -> int:
        """Samples that resampling holds back; what the packets hold is not known."""
        return self._resampler.buffered_samples

    def _complete(self) -> Iterator[bytes]:
        """The packets that are whole by now."""
        while (page := self._page()) is not None:
            flags, segments, body = page
            if flags & _FIRST_PAGE:
                self._packets = 0
            if not flags & _CONTINUED:
                self._packet.clear()
            at = 0
            for size in segments:
                self._packet += body[at : at + size]
                at += size
                if len(self._packet) > MAX_PACKET_BYTES:
                    raise ClientError("A packet of the Ogg stream is too large.", code="invalid_audio", param="audio")
                if size < _WHOLE_SEGMENT:
                    yield bytes(self._packet)
                    self._packet.clear()

    def _page(self) -> tuple[int, bytes, bytes] | None:
        """The next page: its flags, the sizes of its segments, and what is in them."""
        head = self._bytes
        if head[:4] != _MARK[: len(head)]:
            raise ClientError("The audio is no Ogg stream.", code="unsupported_format", param="audio")
        if len(head) < _HEADER_BYTES:
            return None
        body_at = _HEADER_BYTES + head[26]
        segments = bytes(head[_HEADER_BYTES:body_at])
        end = body_at + sum(segments)
        if len(segments) < head[26] or len(head) < end:
            return None
        flags, body = head[5], bytes(head[body_at:end])
        del self._bytes[:end]
        return flags, segments, body

    def _decoded(self, packet: bytes) -> Iterator[Samples]:
        """The first packet says what the stream is, the second names its maker, the others are audio."""
        self._packets += 1
        if self._packets == 1:
            self._open(packet)
        elif self._packets > 2:
            try:
                frames = self._codec.decode(av.Packet(packet))
            except av.FFmpegError:
                return  # a damaged packet is left out, as players do
            for frame in frames:
                yield self._downmix(np.asarray(frame.to_ndarray(), np.float32).T)

    def _open(self, head: bytes) -> None:
        if len(head) < 19 or head[:8] != b"OpusHead":
            raise ClientError("The Ogg stream holds no Opus.", code="unsupported_format", param="audio")
        if head[9] > MAX_CHANNELS:
            raise ClientError("The Ogg stream has more than two channels.", code="unsupported_format", param="audio")
        codec: Any = av.CodecContext.create("opus", "r")
        codec.extradata = head
        try:
            codec.open()
        except (av.FFmpegError, ValueError) as error:
            raise ClientError("The Ogg stream's header is damaged.", code="invalid_audio", param="audio") from error
        self._codec = codec


def _begins_a_stream(data: bytes) -> bool:
    """Whether ``data`` starts with the first page of a stream: no chance in practice for the middle of a page."""
    return data[:5] == _MARK + b"\0" and len(data) > 5 and bool(data[5] & _FIRST_PAGE)
