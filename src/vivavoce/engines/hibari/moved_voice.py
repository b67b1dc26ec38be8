"""Hibari with another pitch. Its network says how the vocal tract sounds and how high the voice is; our part moves the latter.

The network gives the harmonic part as a spectrum in bins of 20 Hz, which is right where the harmonics of its own pitch are and
means nothing between them. So its envelope is read at those harmonics and drawn between them, before harmonics of another
pitch are laid under it: the formants stay where they are.
"""

from __future__ import annotations

import numpy as np
from hibari import Hibari, dsp
from numpy.typing import NDArray

from vivavoce.engines.pitch_curve import VOICED_HZ, moved_pitch
from vivavoce.speaking_style import SpeakingStyle
from vivavoce.types import Samples

BIN_HZ = dsp.SR / dsp.N_FFT


def speech_of(model: Hibari, phonemes: str, speed: float, style: SpeakingStyle, seed: int) -> Samples:
    """What ``Hibari.from_phonemes`` says, as high and as lively as ``style`` wants it."""
    ids = model.ids(phonemes)
    if len(ids) < 3:
        return np.zeros(0, np.float32)
    inputs = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
    harmonic, phase, noise, free, free_phase, pitch = (output[0] for output in model.sess.run(None, inputs))
    harmonic, phase = between_harmonics(harmonic, phase, pitch)
    generator = np.random.default_rng(seed)
    speech: Samples = dsp.synth(harmonic, phase, noise, free, free_phase, moved_pitch(pitch, style), generator)
    return speech


def between_harmonics(
    levels: NDArray[np.float32], phases: NDArray[np.float32], pitch: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log levels and phases, ``float32[bins, frames]``, where only the harmonics of ``pitch`` (``float32[frames]``) count:
    levels are drawn between harmonics, phases are those of the nearest. Unvoiced frames are returned as they are."""
    voiced = pitch > VOICED_HZ
    bins = len(levels)
    spacing = np.where(voiced, pitch, VOICED_HZ)[None, :] / BIN_HZ
    harmonic = np.maximum(np.arange(bins, dtype=np.float32)[:, None] / spacing, 1.0)
    below = np.floor(harmonic)
    share = harmonic - below
    drawn = (1 - share) * _at(levels, below * spacing) + share * _at(levels, (below + 1) * spacing)
    nearest = np.clip(np.rint(np.rint(harmonic) * spacing).astype(np.intp), 0, bins - 1)
    return (
        np.where(voiced, drawn, levels).astype(np.float32),
        np.where(voiced, np.take_along_axis(phases, nearest, 0), phases),
    )


def _at(values: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """``values`` along their first axis at places between its indices; beyond the end the last one."""
    low = np.clip(np.floor(places).astype(np.intp), 0, len(values) - 2)
    share = np.clip(places - low, 0.0, 1.0)
    return np.asarray(
        (1 - share) * np.take_along_axis(values, low, 0) + share * np.take_along_axis(values, low + 1, 0), np.float32
    )
