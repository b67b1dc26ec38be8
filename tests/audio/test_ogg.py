"""Ogg Opus in pieces: the same samples as of the whole file, and nothing that breaks on rubbish."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.encoding import encode
from vivavoce.audio.ogg import MAX_OGG_S, MAX_PACKET_BYTES, OggOpusDecoder
from vivavoce.audio.recordings import read_recording
from vivavoce.errors import ClientError
from vivavoce.types import Samples

RATE_HZ = 16_000


def hum(seconds: float, rate_hz: int = 24_000) -> Samples:
    return (0.3 * np.sin(np.arange(round(seconds * rate_hz)) * 2 * np.pi * 440 / rate_hz)).astype(np.float32)


def stereo() -> bytes:
    """Of FFmpeg's making: pages of a second, a channel that is silent."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as output:
        stream = output.add_stream("libopus", rate=48_000, layout="stereo")
        packed = np.stack([hum(3, 48_000), np.zeros(144_000, np.float32)], axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
        frame.sample_rate = 48_000
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


MONO, STEREO = encode(hum(2), "opus", 24_000), stereo()


def in_pieces(data: bytes, cuts: list[float]) -> Samples:
    decoder = OggOpusDecoder(RATE_HZ)
    at = [0, *sorted(int(cut * len(data)) for cut in cuts), len(data)]
    return np.concatenate([decoder.push(data[start:end]) for start, end in pairwise(at)])


@pytest.mark.parametrize("data", [MONO, STEREO], ids=["mono", "stereo"])
@given(cuts=st.lists(st.floats(0, 1), max_size=12))
@settings(max_examples=20, deadline=None)
def test_the_samples_are_those_of_the_file_however_it_is_cut(data: bytes, cuts: list[float]) -> None:
    heard, whole = in_pieces(data, cuts), read_recording(data, rate_hz=RATE_HZ, max_s=60)
    count = min(len(heard), len(whole)) - RATE_HZ // 20
    assert count > 1.5 * RATE_HZ
    assert np.allclose(heard[:count], whole[:count], atol=1e-4)


def test_streams_can_follow_each_other() -> None:
    heard = in_pieces(MONO + STEREO, [0.1, 0.5])
    assert len(heard) / RATE_HZ == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("cut", [0.02, 0.3, 0.7])
def test_a_stream_that_was_broken_off_does_not_swallow_the_next_one(cut: float) -> None:
    decoder = OggOpusDecoder(RATE_HZ)
    broken = decoder.push(STEREO[: int(cut * len(STEREO))])
    assert len(broken) / RATE_HZ < 3
    assert len(decoder.push(MONO)) / RATE_HZ == pytest.approx(2, abs=0.1)


def page(*packets: bytes, flags: int = 2) -> bytes:
    segments = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    head = b"OggS\0" + bytes([flags]) + bytes(20) + bytes([len(segments)])
    return head + segments + b"".join(packets)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"RIFF", "unsupported_format"),
        (b"OggX" + bytes(100), "unsupported_format"),
        (page(b"\x01vorbis" + bytes(30)), "unsupported_format"),
        (page(b"OpusHead"), "unsupported_format"),
        (page(b"OpusHead\x01\x00" + bytes(9)), "invalid_audio"),
        (MONO[:100] + b"OggS" + bytes(200), "unsupported_format"),
    ],
)
def test_what_cannot_be_decoded_is_refused_and_a_new_stream_can_begin(data: bytes, code: str) -> None:
    decoder = OggOpusDecoder(RATE_HZ)
    with pytest.raises(ClientError) as refused:
        decoder.push(data + MONO)
    assert refused.value.code == code
    assert len(decoder.push(MONO)) / RATE_HZ == pytest.approx(2, abs=0.05)


def test_packets_without_end_are_refused() -> None:
    decoder = OggOpusDecoder(RATE_HZ)
    endless = b"OggS\0\0" + bytes(20) + b"\xff" + b"\xff" * 255 + bytes(255 * 255)
    continued = b"OggS\0\1" + endless[6:]
    with pytest.raises(ClientError, match="too large"):
        decoder.push(endless + continued * (MAX_PACKET_BYTES // (255 * 255) + 1))


@given(spots=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_spoiled_streams_are_decoded_or_refused(spots: list[tuple[float, int]]) -> None:
    data = bytearray(STEREO)
    for at, value in spots:
        data[int(at * len(data))] = value
    with suppress(ClientError):
        assert np.isfinite(in_pieces(bytes(data), [0.3, 0.6])).all()


def ogg_page(flags: int, packets: list[bytes]) -> bytes:
    """One page of an Ogg stream; its checksum is not looked at."""
    sizes = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    return b"OggS\0" + bytes([flags]) + bytes(20) + bytes([len(sizes)]) + sizes + b"".join(packets)


def beginning(channels: int = 1, family: int = 0) -> bytes:
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, channels, 0, 48_000, 0, family)
    if family:
        head += bytes([channels, 0, *range(channels)])
    return ogg_page(2, [head]) + ogg_page(0, [b"OpusTags" + bytes(8)])


def test_an_append_holds_so_many_seconds() -> None:
    """Two bytes of Opus can be 120 ms: 32 KB were 20 minutes, and 0.6 s of the event loop."""
    decoder = OggOpusDecoder(RATE_HZ)
    decoder.push(beginning())
    silence = ogg_page(0, [b"\x0b\x06"] * 255)
    heard = decoder.push(silence)
    assert 20 < len(heard) / RATE_HZ < MAX_OGG_S
    with pytest.raises(ClientError, match="may hold 60 s"):
        decoder.push(silence * 40)
    decoder.push(beginning())
    assert len(decoder.push(silence))


def test_more_than_two_channels_are_refused() -> None:
    with pytest.raises(ClientError) as refused:
        OggOpusDecoder(RATE_HZ).push(beginning(255, 255))
    assert refused.value.code == "unsupported_format"
