from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripted_server import tone
from vivavoce.client.errors import RecordingError
from vivavoce.client.recording import SPEECH_AMPLITUDE, read_audio, speech_end_ms, write_wav


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(250))
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav"), tone(250), atol=2 / 32768)


def test_stereo_at_another_rate_becomes_mono_at_the_wanted_one(tmp_path: Path) -> None:
    at = np.arange(8000)
    left = (10_000 * np.sin(2 * np.pi * 300 * at / 8000)).astype("<i2")
    with wave.open(str(tmp_path / "s.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.stack([left, left], axis=1).tobytes())
    samples = read_audio(tmp_path / "s.wav", rate_hz=16_000)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(16_000, abs=20)
    assert np.abs(samples).max() == pytest.approx(10_000 / 32768, rel=0.05)


@pytest.mark.parametrize(("suffix", "codec"), [("flac", "flac"), ("mp3", "libmp3lame"), ("ogg", "libopus")])
def test_compressed_files_are_read(tmp_path: Path, suffix: str, codec: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        data = (np.sin(np.arange(48_000) * 0.05) * 10_000).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout="mono")
        frame.rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    samples = read_audio(path)
    assert len(samples) == pytest.approx(24_000, abs=2000)
    assert np.abs(samples).max() > 0.2


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("not sound")
    with pytest.raises(RecordingError, match=r"a\.wav"):
        read_audio(tmp_path / "a.wav")
    with pytest.raises(RecordingError, match="absent"):
        read_audio(tmp_path / "absent.wav")


def test_an_empty_wav_is_said(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.zeros(0, np.float32))
    with pytest.raises(RecordingError):
        read_audio(tmp_path / "a.wav")


@given(st.integers(1, 2000), st.integers(0, 2000))
def test_speech_ends_with_the_last_loud_sample(loud: int, quiet: int) -> None:
    samples = np.concatenate([np.full(loud, 0.3, np.float32), np.full(quiet, SPEECH_AMPLITUDE * 0.9, np.float32)])
    assert speech_end_ms(samples, rate_hz=1000) == loud


@given(st.integers(0, 999))
def test_a_negative_peak_counts_as_well(at: int) -> None:
    samples = np.zeros(1000, np.float32)
    samples[at] = -0.5
    assert speech_end_ms(samples, rate_hz=1000) == at + 1


def test_silence_has_no_end_of_speech() -> None:
    with pytest.raises(RecordingError, match="no speech"):
        speech_end_ms(np.full(100, SPEECH_AMPLITUDE / 2, np.float32))
