"""How an utterance is spoken, measured: pitch, range, level, spectral tilt, pauses. Pure; about 5 ms for 3 s."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Samples
from vivavoce.voice_facts import ProsodyMeasures

FRAME_S, HOP_S = 0.04, 0.01
LOWEST_HZ, HIGHEST_HZ = 65.0, 450.0

SPEECH_RANGE_DB = 30.0
"""Frames that are so much quieter than the loud ones (95th percentile) are no speech."""

MIN_SPEECH_DB = -60.0
VOICED = 0.5
"""Normalised autocorrelation from which a frame is voiced."""

SHORTEST_PEAK = 0.9
"""Of peaks nearly as high as the highest the one of the shortest period counts: the others are its multiples."""

PAUSE_S = 0.25
MIN_VOICED_S = 0.2
PITCH_EVERY = 2
"""Pitch is looked for in every second frame of speech: it costs most."""

MAX_S = 30.0
TILT_HZ = (50.0, 1000.0, 5000.0)


def speech_frames(levels_db: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which frames (by their level in dB) are speech rather than what is between."""
    if not len(levels_db):
        return np.zeros(0, np.bool_)
    loud = float(np.percentile(levels_db, 95))
    return np.asarray(levels_db > max(loud - SPEECH_RANGE_DB, MIN_SPEECH_DB), np.bool_)


def measure(samples: Samples, rate_hz: int) -> ProsodyMeasures | None:
    """The measures of an utterance (``float32[n]``); ``None`` if nothing in it is loud enough for speech."""
    samples = samples[: int(MAX_S * rate_hz)]
    size, hop = int(FRAME_S * rate_hz), int(HOP_S * rate_hz)
    if len(samples) < size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    levels_db = np.asarray(10 * np.log10(np.einsum("ij,ij->i", frames, frames) / size + 1e-10), np.float32)
    speech = speech_frames(levels_db)
    if not speech.any():
        return None
    first, last = int(speech.argmax()), len(speech) - int(speech[::-1].argmax())
    power = _power(frames[speech], size)
    pitches = _pitches(power[::PITCH_EVERY], size, rate_hz)
    voiced = pitches[~np.isnan(pitches)]
    enough = len(voiced) * HOP_S * PITCH_EVERY >= MIN_VOICED_S
    level_db = float(10 * np.log10(np.mean(10 ** (levels_db[speech] / 10))))
    return ProsodyMeasures(
        speech_s=round(float(speech.sum()) * HOP_S, 3),
        pause_share=round(_pauses(speech[first:last]) / (last - first), 3),
        level_db=round(level_db, 2),
        tilt_db=round(_tilt(power, rate_hz), 2),
        snr_db=round(level_db - float(np.percentile(levels_db, 5)), 1),
        f0_hz=round(float(np.median(voiced)), 1) if enough else None,
        f0_range_st=round(12 * float(np.log2(np.percentile(voiced, 80) / np.percentile(voiced, 20))), 2)
        if enough
        else None,
    )


def _pauses(speech: NDArray[np.bool_]) -> int:
    """How many frames are in pauses."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], speech, [True])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths * HOP_S >= PAUSE_S].sum())


def _power(frames: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Power spectra, ``float32[frames, points / 2 + 1]``, of at least twice the frame's length."""
    centred = (frames - frames.mean(axis=1, keepdims=True)) * _window(size)
    spectra = np.fft.rfft(centred, _points(size), axis=1)
    return np.asarray(spectra.real**2 + spectra.imag**2, np.float32)


def _pitches(power: NDArray[np.float32], size: int, rate_hz: int) -> NDArray[np.float32]:
    """The pitch of each frame in Hz by autocorrelation; not a number where it is not voiced."""
    shortest, longest = int(rate_hz / HIGHEST_HZ), min(int(rate_hz / LOWEST_HZ), size * 2 // 3)
    correlation = np.fft.irfft(power, axis=1)[:, : longest + 2] / _window_correlation(size)[: longest + 2]
    correlation /= np.maximum(correlation[:, :1], 1e-12)
    inner = correlation[:, shortest : longest + 1]
    peaks = (inner > correlation[:, shortest - 1 : longest]) & (inner >= correlation[:, shortest + 1 : longest + 2])
    heights = np.where(peaks, inner, 0.0)
    highest = heights.max(axis=1, keepdims=True)
    at = np.argmax(heights >= np.maximum(SHORTEST_PEAK * highest, 1e-6), axis=1)
    return np.where(highest[:, 0] >= VOICED, rate_hz / (at + shortest), np.nan).astype(np.float32)


def _tilt(power: NDArray[np.float32], rate_hz: int) -> float:
    frequencies = np.fft.rfftfreq((power.shape[1] - 1) * 2, 1 / rate_hz)
    low, middle, high = np.searchsorted(frequencies, TILT_HZ)
    spectrum = power.mean(axis=0)
    return float(10 * np.log10((spectrum[low:middle].sum() + 1e-9) / (spectrum[middle:high].sum() + 1e-9)))


def _points(size: int) -> int:
    return 1 << (2 * size - 1).bit_length()


@lru_cache(4)
def _window(size: int) -> NDArray[np.float32]:
    return np.hanning(size).astype(np.float32)


@lru_cache(4)
def _window_correlation(size: int) -> NDArray[np.float32]:
    """A window overlaps itself the less the longer the lag: dividing by its own correlation undoes that."""
    spectrum = np.abs(np.fft.rfft(_window(size), _points(size))) ** 2
    correlation = np.fft.irfft(spectrum)
    return np.asarray(np.maximum(correlation / correlation[0], 1e-3), np.float32)
