"""Recordings on disk: read any format, find where the speech ends, write wav."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np

from vivavoce.audio.downmix import Downmix
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.audio.resample import resample
from vivavoce.client.errors import RecordingError
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.types import Samples

SPEECH_AMPLITUDE = 0.015
"""Speech ends with the last sample louder than this (1 = full scale). A label read from the file, not from any VAD."""


def read_audio(path: Path, *, rate_hz: int = WIRE_RATE_HZ) -> Samples:
    """Decode wav, flac, mp3, ogg, m4a … to mono ``float32[n]`` at ``rate_hz``. Raises ``RecordingError``."""
    try:
        with av.open(str(path), mode="r") as container:
            if not container.streams.audio:
                raise RecordingError(f"{path} has no sound track.")
            stream = container.streams.audio[0]
            source_hz = stream.rate
            downmix = Downmix(source_hz)
            to_float = av.AudioResampler(format="fltp", rate=source_hz)
            # The mean of the channels: FFmpeg's own downmix makes what is on both of them 3 dB louder.
            pieces = [
                downmix(np.asarray(planes.to_ndarray(), np.float32).T)
                for frame in (*container.decode(stream), None)
                for planes in to_float.resample(frame)
            ]
    except (av.FFmpegError, OSError) as error:
        raise RecordingError(f"Cannot read {path}: {error}.") from error
    if not pieces:
        raise RecordingError(f"{path} holds no sound.")
    samples = np.concatenate(pieces).astype(np.float32)
    return resample(samples, source_hz, rate_hz)


def write_wav(path: Path, samples: Samples, *, rate_hz: int = WIRE_RATE_HZ) -> None:
    """Write mono pcm16."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(encode_pcm16(samples))


def speech_end_ms(samples: Samples, *, rate_hz: int = WIRE_RATE_HZ, amplitude: float = SPEECH_AMPLITUDE) -> float:
    """Where the speech ends: just after the last sample above ``amplitude``.

    Raises ``RecordingError`` when no sample is that loud.
    """
    loud = np.flatnonzero(np.abs(samples) > amplitude)
    if not len(loud):
        raise RecordingError(f"There is no speech: no sample is louder than {amplitude:g} of full scale.")
    return (int(loud[-1]) + 1) * 1000.0 / rate_hz
