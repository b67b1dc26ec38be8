"""Files made while the audio is: headers, what is held back, and what comes out again."""

from __future__ import annotations

import io
import struct
import wave
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.encoding import CONTENT_TYPES, OPEN_ENDED, RATES_HZ, Encoder, FileFormat, encode, wav_header
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.audio.recordings import RawFormat, read_recording
from vivavoce.types import Samples

FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
SPEECH_RATES_HZ = (8000, 16000, 22050, 24000, 48000)
CODEC_FRAME_S = 0.15


def hum(seconds: float, rate_hz: int) -> Samples:
    return (0.3 * np.sin(np.arange(round(seconds * rate_hz)) * 2 * np.pi * 440 / rate_hz)).astype(np.float32)


def streamed(samples: Samples, format: FileFormat, rate_hz: int, piece: int) -> bytes:
    encoder = Encoder(format, rate_hz)
    written = [encoder.write(samples[at : at + piece]) for at in range(0, len(samples), piece)]
    return b"".join([*written, encoder.finish()])


def decoded(data: bytes, format: FileFormat, rate_hz: int) -> Samples:
    raw = RawFormat(rate_hz) if format == "pcm" else None
    return read_recording(data, rate_hz=rate_hz, max_s=60, raw=raw)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("rate_hz", SPEECH_RATES_HZ)
def test_what_is_encoded_can_be_decoded(format: FileFormat, rate_hz: int) -> None:
    samples = hum(2.0, rate_hz)
    for data in (streamed(samples, format, rate_hz, rate_hz // 10), encode(samples, format, rate_hz)):
        heard = decoded(data, format, rate_hz)
        assert abs(len(heard) - len(samples)) <= CODEC_FRAME_S * rate_hz * 2
        middle = heard[len(heard) // 4 : -len(heard) // 4]
        spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
        assert np.argmax(spectrum) * rate_hz / len(middle) == pytest.approx(440, abs=5)
        assert np.abs(middle).max() == pytest.approx(0.3, abs=0.06)


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    st.sampled_from(RATES_HZ),
    st.sampled_from(("wav", "flac", "pcm")),
)
@settings(max_examples=40, deadline=None)
def test_lossless_formats_lose_nothing_however_the_audio_is_cut(
    lengths: list[int], rate_hz: int, format: FileFormat
) -> None:
    samples = np.random.default_rng(sum(lengths)).uniform(-1, 1, sum(lengths)).astype(np.float32)
    encoder, at, data = Encoder(format, rate_hz), 0, b""
    for length in lengths:
        data += encoder.write(samples[at : at + length])
        at += length
    data += encoder.finish()
    heard = decoded(data, format, rate_hz)
    assert len(heard) == len(samples)
    assert np.abs(heard - samples).max() <= 1.01 / 32768


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=6), st.sampled_from(("mp3", "opus", "aac")))
@settings(max_examples=30, deadline=None)
def test_compressed_formats_do_not_depend_on_how_the_audio_is_cut(lengths: list[int], format: FileFormat) -> None:
    lengths = [7200, *lengths]  # a file of two frames is too short for FFmpeg to tell what it is
    samples = hum(sum(lengths) / 24_000, 24_000)
    encoder, at, data = Encoder(format, 24_000), 0, b""
    for length in lengths:
        data += encoder.write(samples[at : at + length])
        at += length
    data += encoder.finish()
    heard, whole = (
        decoded(data, format, 24_000),
        decoded(streamed(samples, format, 24_000, len(samples)), format, 24_000),
    )
    assert np.array_equal(heard, whole)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("rate_hz", SPEECH_RATES_HZ)
def test_little_is_held_back(format: FileFormat, rate_hz: int) -> None:
    encoder = Encoder(format, rate_hz)
    sent = b"".join(encoder.write(hum(0.1, rate_hz)) for _ in range(20))
    held_s = 2.0 - len(decoded(sent, format, rate_hz)) / rate_hz
    assert held_s <= (0.5 if rate_hz == 8000 else 0.3)  # an mp3 frame of 8 kHz lasts 72 ms, and some wait


def test_a_streamed_wav_is_as_long_as_it_goes_and_a_whole_one_says_how_long() -> None:
    samples = hum(1.0, 24_000)
    head = streamed(samples, "wav", 24_000, 1000)[:44]
    assert struct.unpack("<I", head[4:8])[0] == struct.unpack("<I", head[40:44])[0] == OPEN_ENDED
    with wave.open(io.BytesIO(encode(samples, "wav", 24_000))) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (24_000, 24_000, 1)
        assert file.readframes(24_000) == encode_pcm16(samples)
    assert len(wav_header(8000)) == 44


def test_a_whole_file_is_as_long_as_the_audio() -> None:
    samples = hum(1.0, 24_000)
    for format in ("wav", "mp3", "flac", "opus"):
        assert len(decoded(encode(samples, format, 24_000), format, 24_000)) == 24_000, format


def test_the_first_sound_is_not_behind_padding() -> None:
    assert len(Encoder("flac", 24_000).write(hum(0.2, 24_000))) < 6_000


def test_loud_samples_are_clipped_and_not_wrapped() -> None:
    for format in FORMATS:
        heard = decoded(encode(4 * hum(1.0, 24_000), format, 24_000), format, 24_000)
        assert np.abs(heard).max() <= 1.0
        assert np.sqrt(np.mean(heard[8000:16000] ** 2)) > 0.7


def test_a_rate_no_format_has_is_refused() -> None:
    for rate_hz in (0, 7999, 96_000):
        with pytest.raises(ValueError, match="Hz"):
            Encoder("mp3", rate_hz)


def test_every_format_has_a_content_type() -> None:
    assert set(CONTENT_TYPES) == set(FORMATS)
