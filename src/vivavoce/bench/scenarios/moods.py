"""How a caller sounds: synthesised speech, its pitch, tempo, level, brightness and pauses changed. Deterministic."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vivavoce.audio.resample import resample
from vivavoce.audio.tempo import at_tempo
from vivavoce.types import Samples

TILT_FROM_HZ = 500.0
PAUSE_FRAME_S = 0.02
EDGE_S = 0.3


@dataclass(frozen=True, slots=True)
class Mood:
    """Factors on ``pitch`` (formants go along: it is resampled) and ``tempo``; ``level_db``; how many decibels an octave
    above ``TILT_FROM_HZ`` is softer (negative: brighter); ``pauses`` of ``pause_s`` within the sentence."""

    pitch: float = 1.0
    tempo: float = 1.0
    level_db: float = 0.0
    softer_db: float = 0.0
    pauses: int = 0
    pause_s: float = 0.45


MOODS = {
    "plain": Mood(),
    "sad": Mood(pitch=0.8, tempo=0.5, level_db=-15, softer_db=6),
    "low": Mood(pitch=0.7, tempo=0.6, level_db=-20, softer_db=10),
    "angry": Mood(pitch=1.35, tempo=1.1, level_db=8, softer_db=-6),
    "tired": Mood(pitch=0.85, tempo=0.75, level_db=-6, softer_db=4, pauses=2),
    "hurried": Mood(pitch=1.2, tempo=1.4, level_db=8, softer_db=-3),
    "hesitant": Mood(tempo=0.95, pauses=3, pause_s=0.4),
}
"""Chosen so that the perceiver hears them in the sentences of the scripts, and the recogniser still understands the words: they
test what is made of what is heard, not the ear. ``low`` is sad in another voice."""


def in_mood(samples: Samples, rate_hz: int, mood: Mood) -> Samples:
    """``samples`` (``float32[n]``) as somebody in this mood might say them."""
    changed = samples
    if mood.pauses:
        changed = _with_pauses(changed, rate_hz, mood.pauses, mood.pause_s * mood.tempo)
    if mood.pitch != 1.0:
        changed = resample(changed, round(rate_hz * mood.pitch), rate_hz)
    changed = at_tempo(changed, rate_hz, mood.tempo / mood.pitch)
    if mood.softer_db:
        changed = _softer(changed, rate_hz, mood.softer_db)
    return np.asarray(np.clip(changed * np.float32(10 ** (mood.level_db / 20)), -1, 1), np.float32)


def _softer(samples: Samples, rate_hz: int, octave_db: float) -> Samples:
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    octaves = np.clip(np.log2(np.maximum(frequencies, 1.0) / TILT_FROM_HZ), 0, None)
    changed = np.fft.irfft(np.fft.rfft(samples) * 10 ** (-octave_db * octaves / 20), len(samples))
    return np.asarray(changed, np.float32)


def _with_pauses(samples: Samples, rate_hz: int, count: int, seconds: float) -> Samples:
    """Silence at the quietest place of each of ``count`` inner stretches: mostly between words."""
    size = int(PAUSE_FRAME_S * rate_hz)
    edge = int(EDGE_S * rate_hz)
    bounds = np.linspace(edge, max(len(samples) - edge, edge), count + 1).astype(int)
    pieces: list[Samples] = []
    done = 0
    for start, end in pairwise(bounds):
        frames = samples[start : start + (end - start) // size * size].reshape(-1, size)
        if not len(frames):
            continue
        at = start + int(np.argmin((frames**2).mean(axis=1))) * size + size // 2
        pieces += [samples[done:at], np.zeros(int(seconds * rate_hz), np.float32)]
        done = at
    return np.concatenate([*pieces, samples[done:]])
