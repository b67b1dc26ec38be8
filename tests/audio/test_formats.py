"""Wire formats as streams: nothing lost at the cuts, nothing clicks, and the tone comes out as it went in."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.audio_format import AudioFormat, RateHz
from vivavoce.audio.formats import AudioDecoder, AudioEncoder
from vivavoce.errors import ClientError
from vivavoce.types import Samples

RATES: tuple[RateHz, ...] = get_args(RateHz)
PCM_FORMATS = tuple(AudioFormat(rate_hz=rate) for rate in RATES)
G711_FORMATS = (AudioFormat(encoding="g711_ulaw", rate_hz=8000), AudioFormat(encoding="g711_alaw", rate_hz=8000))
FORMATS = PCM_FORMATS + G711_FORMATS
OUR_RATES = (16_000, 24_000)

formats = st.sampled_from(FORMATS)
our_rates = st.sampled_from(OUR_RATES)


def tone(rate_hz: int, seconds: float = 1.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.float32)


def width(format: AudioFormat) -> int:
    return 2 if format.encoding == "pcm16" else 1


def snr_db(samples: Samples, rate_hz: int) -> float:
    """Power of the best-fitting 440 Hz tone against everything else, 50 ms at both ends left out."""
    edge = rate_hz // 20
    middle = samples[edge:-edge].astype(np.float64)
    phase = 2 * np.pi * 440 * np.arange(len(middle)) / rate_hz
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    fitted = basis @ np.linalg.lstsq(basis, middle, rcond=None)[0]
    return float(10 * np.log10(np.sum(fitted**2) / np.sum((middle - fitted) ** 2)))


def cut(length: int, cuts: list[int]) -> list[tuple[int, int]]:
    borders = [0, *sorted(at % (length + 1) for at in cuts), length]
    return list(pairwise(borders))


@settings(deadline=None)
@given(formats, our_rates, st.binary(max_size=3000), st.lists(st.integers(0, 3000), max_size=20))
def test_decoding_pieces_is_decoding_the_whole(format: AudioFormat, rate: int, data: bytes, cuts: list[int]) -> None:
    data = data[: len(data) // 2 * 2]
    count = len(data) // width(format)
    decoder = AudioDecoder(format, rate)
    whole = np.concatenate([decoder.push(data), decoder.flush()])
    pieces = [decoder.push(data[a * width(format) : b * width(format)]) for a, b in cut(count, cuts)]
    joined = np.concatenate([*pieces, decoder.flush()])
    assert joined.dtype == np.float32
    assert abs(len(whole) - count * rate / format.rate_hz) <= 1
    np.testing.assert_allclose(joined, whole, rtol=0, atol=1e-6)


@settings(deadline=None)
@given(formats, our_rates, st.integers(0, 2000), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2000), max_size=20))
def test_encoding_pieces_is_encoding_the_whole(
    format: AudioFormat, rate: int, count: int, seed: int, cuts: list[int]
) -> None:
    samples = np.random.default_rng(seed).uniform(-0.9, 0.9, count).astype(np.float32)
    encoder = AudioEncoder(format, rate)
    whole = encoder.push(samples) + encoder.flush()
    pieces = [encoder.push(samples[a:b]) for a, b in cut(count, cuts)]
    pieces.append(encoder.flush())
    assert all(len(piece) % width(format) == 0 for piece in pieces)
    assert abs(len(whole) // width(format) - count * format.rate_hz / rate) <= 1
    assert b"".join(pieces) == whole


@pytest.mark.parametrize("our_hz", OUR_RATES)
@pytest.mark.parametrize("format", FORMATS)
def test_a_tone_stays_a_tone(format: AudioFormat, our_hz: int) -> None:
    encoder, decoder = AudioEncoder(format, our_hz), AudioDecoder(format, our_hz)
    samples = tone(our_hz)
    wire = b"".join(encoder.push(samples[at : at + 333]) for at in range(0, len(samples), 333)) + encoder.flush()
    step = 77 * width(format)
    heard = [decoder.push(wire[at : at + step]) for at in range(0, len(wire), step)]
    back = np.concatenate([*heard, decoder.flush()])
    assert abs(len(back) - len(samples)) <= 1
    assert snr_db(back, our_hz) > (40 if format.encoding == "pcm16" else 30)
    assert np.abs(back).max() == pytest.approx(0.5, abs=0.02)


def test_half_a_sample_of_pcm16_is_refused_and_not_kept() -> None:
    decoder = AudioDecoder(AudioFormat(), 24_000)
    with pytest.raises(ClientError) as caught:
        decoder.push(b"\x00\x40\x00")
    assert caught.value.param == "audio"
    assert decoder.push(b"\x00\x40").tolist() == [0.5]


def test_a_flushed_stream_leaves_nothing_to_the_next() -> None:
    decoder = AudioDecoder(AudioFormat(encoding="g711_ulaw", rate_hz=8000), 16_000)
    decoder.push(AudioEncoder(AudioFormat(encoding="g711_ulaw", rate_hz=8000), 8000).push(tone(8000, 0.1)))
    assert np.abs(decoder.flush()).max() > 0.1
    assert not len(decoder.flush())
    silent = np.concatenate([decoder.push(b"\xff" * 800), decoder.flush()])
    assert len(silent) == 1600
    assert not silent.any()
