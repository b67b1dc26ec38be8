"""The input buffer: positions never lie, frames come once and in order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.audio.g711 import encode_g711
from vivavoce.audio.input_buffer import InputBuffer
from vivavoce.audio.pcm import decode_pcm16, encode_pcm16
from vivavoce.audio.resample import Resampler, resample

PCM_16K = AudioFormat(rate_hz=16_000)
ULAW = AudioFormat(encoding="g711_ulaw", rate_hz=8000)
FORMATS = (PCM_16K, AudioFormat(), AudioFormat(rate_hz=48_000), ULAW)


def ramp(start: int, count: int) -> bytes:
    return (np.arange(start, start + count) % 30000).astype("<i2").tobytes()


@given(st.lists(st.integers(0, 700), max_size=30), st.data())
def test_slices_are_addressed_by_position(sizes: list[int], data: st.DataObject) -> None:
    buffer = InputBuffer(format=PCM_16K, rate_hz=16_000, frame_samples=512)
    total = 0
    for size in sizes:
        buffer.append(ramp(total, size))
        total += size
    assert buffer.end == total
    buffer.forget(data.draw(st.integers(0, total)))
    start = data.draw(st.integers(buffer.start, total))
    stop = data.draw(st.integers(start, total))
    assert np.array_equal(buffer.slice(start, stop), decode_pcm16(ramp(start, stop - start)))


@given(st.lists(st.integers(0, 2000), max_size=30))
def test_frames_are_whole_in_order_and_given_once(sizes: list[int]) -> None:
    buffer = InputBuffer(format=PCM_16K, rate_hz=16_000, frame_samples=512)
    position = total = 0
    for size in sizes:
        buffer.append(ramp(total, size))
        total += size
        taken = buffer.take_frames()
        if taken is not None:
            assert taken.position == position
            assert np.array_equal(taken.frames.ravel(), decode_pcm16(ramp(position, taken.frames.size)))
            position += taken.frames.size
    assert total - position < 512


def test_pieces_resample_like_the_whole() -> None:
    tone = np.sin(np.arange(24_000) / 20).astype(np.float32)
    stream = Resampler(24_000, 16_000)
    pieces = np.concatenate([stream.push(tone[at : at + 480]) for at in range(0, len(tone), 480)])
    whole = resample(tone, 24_000, 16_000)
    assert 15_000 < len(pieces) <= 16_000
    assert np.abs(pieces[200:-200] - whole[200 : len(pieces) - 200]).max() < 0.01


@given(st.binary(max_size=400).filter(lambda data: len(data) % 2 == 0))
def test_pcm16_round_trip(data: bytes) -> None:
    assert encode_pcm16(decode_pcm16(data)) == data


def test_pcm16_clips() -> None:
    assert decode_pcm16(encode_pcm16(np.array([2.0, -2.0], np.float32))).tolist() == [32767 / 32768, -1.0]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FORMATS), st.integers(1, 40)), max_size=12))
def test_changing_the_format_loses_nothing(stretches: list[tuple[AudioFormat, int]]) -> None:
    buffer = InputBuffer(format=AudioFormat(), rate_hz=16_000, frame_samples=512)
    for format, hundredths in stretches:
        buffer.set_format(format)
        samples = np.full(hundredths * format.rate_hz // 100, 0.25, np.float32)
        buffer.append(encode_g711(samples, "ulaw") if format == ULAW else encode_pcm16(samples))
    buffer.set_format(PCM_16K)
    assert abs(buffer.end - sum(hundredths for _, hundredths in stretches) * 160) <= len(stretches)


def test_setting_the_same_format_again_does_not_cut_the_stream() -> None:
    tone = np.sin(np.arange(2400) / 20).astype(np.float32)
    plain = InputBuffer(format=AudioFormat(), rate_hz=16_000, frame_samples=512)
    plain.append(encode_pcm16(tone))
    told = InputBuffer(format=AudioFormat(), rate_hz=16_000, frame_samples=512)
    told.append(encode_pcm16(tone[:1200]))
    told.set_format(AudioFormat())
    told.append(encode_pcm16(tone[1200:]))
    np.testing.assert_allclose(told.slice(0, told.end), plain.slice(0, plain.end), rtol=0, atol=1e-6)


def test_what_the_resampler_held_back_comes_at_the_end() -> None:
    for format in FORMATS:
        buffer = InputBuffer(format=format, rate_hz=16_000, frame_samples=512)
        samples = np.full(format.rate_hz // 2, 0.25, np.float32)
        buffer.append(encode_g711(samples, "ulaw") if format == ULAW else encode_pcm16(samples))
        buffer.finish()
        assert abs(buffer.end - 8_000) <= 1
        end = buffer.end
        buffer.finish()
        assert buffer.end == end
