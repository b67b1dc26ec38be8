"""Copies of a clip as it would arrive over other microphones, rooms and lines. Deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import av
import numpy as np

from vivavoce.audio.g711 import decode_g711, encode_g711
from vivavoce.audio.recordings import read_recording
from vivavoce.audio.resample import resample
from vivavoce.types import Samples

RATE_HZ = 16_000
TELEPHONE_HZ = 8_000
TEST_SNR_DB = 10.0
TRAINING_SNR_DB = (4.0, 20.0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Noises and impulse responses of rooms, ``float32[n]`` at 16 kHz."""

    noises: Sequence[Samples]
    rooms: Sequence[Samples]


def copies(clip: Samples, around: Surroundings, seed: int) -> Iterator[tuple[str, Samples]]:
    """The clip and its copies by name. ``noise{i}@10`` is for tests, ``noise{i}`` at some level for training."""
    random = np.random.default_rng(seed)
    yield "clean", clip
    for index, noise in enumerate(around.noises):
        yield f"noise{index}@10", with_noise(clip, noise, TEST_SNR_DB, random)
        yield f"noise{index}", with_noise(clip, noise, random.uniform(*TRAINING_SNR_DB), random)
    yield "hiss", with_noise(clip, coloured(random, len(clip)), random.uniform(*TRAINING_SNR_DB), random)
    yield "room", in_room(clip, around.rooms[int(random.integers(len(around.rooms)))])
    yield "quiet", np.asarray(clip * np.float32(10 ** (-random.uniform(12, 30) / 20)), np.float32)
    yield "g711", over_telephone(clip)
    yield "opus", over_opus(clip)
    yield "slower", at_speed(clip, 0.93)
    yield "faster", at_speed(clip, 1.07)


def with_noise(clip: Samples, noise: Samples, snr_db: float, random: np.random.Generator) -> Samples:
    """``clip`` in a random stretch of ``noise``, so many decibels below it."""
    repeated = np.tile(noise, len(clip) // len(noise) + 2)
    start = int(random.integers(len(noise)))
    stretch = repeated[start : start + len(clip)]
    gain = np.sqrt(np.mean(clip**2) / (np.mean(stretch**2) * 10 ** (snr_db / 10) + 1e-12))
    return np.asarray(np.clip(clip + gain * stretch, -1, 1), np.float32)


def coloured(random: np.random.Generator, length: int) -> Samples:
    """Noise whose spectrum falls by a random slope between white and brown."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** random.uniform(0, 1)
    noise = np.fft.irfft(spectrum, length)
    return np.asarray(noise / np.abs(noise).max() * 0.1, np.float32)


def in_room(clip: Samples, response: Samples) -> Samples:
    """``clip`` as it sounds in a room, as loud as before."""
    points = len(clip) + len(response) - 1
    wet = np.fft.irfft(np.fft.rfft(clip, points) * np.fft.rfft(response, points), points)[: len(clip)]
    return np.asarray(wet * np.sqrt(np.mean(clip**2) / (np.mean(wet**2) + 1e-12)), np.float32).clip(-1, 1)


def over_telephone(clip: Samples) -> Samples:
    """Through G.711 at 8 kHz."""
    narrow = resample(clip, RATE_HZ, TELEPHONE_HZ)
    return resample(decode_g711(encode_g711(narrow, "ulaw"), "ulaw"), TELEPHONE_HZ, RATE_HZ)


def over_opus(clip: Samples) -> Samples:
    """Through Opus at 16 kbit/s."""
    file = BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 16_000
        pcm = np.clip(resample(clip, RATE_HZ, 48_000) * 32767, -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = 48_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return read_recording(file.getvalue(), rate_hz=RATE_HZ, max_s=60)


def at_speed(clip: Samples, speed: float) -> Samples:
    """Played faster or slower, so that its pitch changes too."""
    return resample(clip, round(RATE_HZ * speed), RATE_HZ)
