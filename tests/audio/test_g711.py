"""G.711 against the standard's own figures, and against FFmpeg's codecs."""

from __future__ import annotations

from typing import Literal

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vivavoce.audio.g711 import Law, decode_g711, encode_g711, levels

ALL_CODES = bytes(range(256))
ALL_VALUES = np.arange(-32768, 32768, dtype=np.int16)
LAWS: tuple[Law, ...] = ("ulaw", "alaw")
CODECS: dict[Law, Literal["pcm_mulaw", "pcm_alaw"]] = {"ulaw": "pcm_mulaw", "alaw": "pcm_alaw"}


def linear(samples: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.rint(samples * 32768).astype(np.int64)


def ffmpeg_decode(data: bytes, law: Law) -> NDArray[np.int16]:
    codec = av.CodecContext.create(CODECS[law], "r")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout = 8000, "mono"
    return np.concatenate([frame.to_ndarray().ravel() for frame in codec.decode(av.Packet(data))])


def ffmpeg_encode(values: NDArray[np.int16], law: Law) -> NDArray[np.uint8]:
    codec = av.CodecContext.create(CODECS[law], "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = 8000, "mono", "s16"
    frame = av.AudioFrame.from_ndarray(values.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = 8000
    packets = [*codec.encode(frame), *codec.encode(None)]
    return np.frombuffer(b"".join(bytes(packet) for packet in packets), np.uint8)


@pytest.mark.parametrize("law", LAWS)
def test_every_code_survives_a_round_trip(law: Law) -> None:
    again = encode_g711(decode_g711(ALL_CODES, law), law)
    # µ-law writes zero in two ways; the negative one comes back as the positive one.
    expected = ALL_CODES.replace(b"\x7f", b"\xff") if law == "ulaw" else ALL_CODES
    assert again == expected


def test_the_standard_s_figures() -> None:
    """Tables 1a to 2b of G.711, scaled to 16 bits (by 8 for A-law's 13 and by 4 for µ-law's 14)."""
    assert {code: int(levels("alaw")[code]) for code in (0xD5, 0x55, 0xAA, 0x2A)} == {
        0xD5: 1 * 8, 0x55: -1 * 8, 0xAA: 4032 * 8, 0x2A: -4032 * 8,
    }  # fmt: skip
    assert {code: int(levels("ulaw")[code]) for code in (0xFF, 0x7F, 0xFE, 0x80, 0x00)} == {
        0xFF: 0, 0x7F: 0, 0xFE: 2 * 4, 0x80: 8031 * 4, 0x00: -8031 * 4,
    }  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_decoding_agrees_with_ffmpeg(law: Law) -> None:
    assert np.array_equal(linear(decode_g711(ALL_CODES, law)), ffmpeg_decode(ALL_CODES, law))


@pytest.mark.parametrize("law", LAWS)
def test_encoding_agrees_with_ffmpeg(law: Law) -> None:
    """FFmpeg looks at the upper 14 bits only, so it may choose the other neighbour within 4 of a decision value."""
    ours = np.frombuffer(encode_g711(np.divide(ALL_VALUES, 32768, dtype=np.float32), law), np.uint8)
    theirs = ffmpeg_encode(ALL_VALUES, law)
    table, values = levels(law).astype(np.int64), ALL_VALUES.astype(np.int64)
    our_error, their_error = np.abs(table[ours] - values), np.abs(table[theirs] - values)
    assert (our_error <= their_error).all()
    assert (their_error - our_error).max() <= 8
    assert (ours == theirs).mean() > 0.9


@pytest.mark.parametrize("law", LAWS)
@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_the_nearest_level_is_chosen(law: Law, values: list[int]) -> None:
    samples = np.divide(values, 32768, dtype=np.float32)
    error = np.abs(linear(decode_g711(encode_g711(samples, law), law)) - np.array(values, np.int64))
    best = np.abs(levels(law).astype(np.int64)[None, :] - np.array(values, np.int64)[:, None]).min(axis=1)
    assert np.array_equal(error, best)


@pytest.mark.parametrize("law", LAWS)
def test_what_is_too_loud_is_clipped(law: Law) -> None:
    top = linear(decode_g711(encode_g711(np.array([3.0, -3.0], np.float32), law), law))
    assert top.tolist() == [levels(law).max(), levels(law).min()]


def test_silence_is_the_positive_zero() -> None:
    assert encode_g711(np.zeros(2, np.float32), "ulaw") == b"\xff\xff"
    assert encode_g711(np.zeros(2, np.float32), "alaw") == b"\xd5\xd5"
