"""Linear classifiers over the recogniser's encoder output, pooled over an utterance. Pure numpy, under a millisecond."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivavoce.perception.prosody import speech_frames

MEL_FRAMES_PER_STATE = 2
"""Whisper's encoder makes one state of two frames of its mel spectrum."""


def pooled(states: NDArray[np.float32], log_mel: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Mean and deviation of the encoder's states and of the mel bands over the frames of speech.

    ``states`` is ``float32[n, d]``, ``log_mel`` ``float32[80, 2 n]`` as Whisper has it ((log10 + 4) / 4). What comes is
    ``float32[2 d + 160]``, ``None`` if there is no speech. The level is taken out: mel bands are relative
    to their mean.
    """
    mel = log_mel[:, : len(log_mel[0]) // 2 * 2].reshape(len(log_mel), -1, MEL_FRAMES_PER_STATE).mean(axis=2)
    count = min(len(states), mel.shape[1])
    states, mel = states[:count], mel[:, :count]
    levels_db = np.asarray(10 * np.log10(np.mean(10 ** (4 * mel - 4), axis=0) + 1e-10), np.float32)
    loud = float(np.percentile(levels_db, 98)) if count else 0.0
    speech = speech_frames(levels_db - loud)
    if speech.sum() < 5:
        return None
    heard, bands = states[speech], mel[:, speech]
    bands = bands - bands.mean()
    parts = (heard.mean(axis=0), heard.std(axis=0), bands.mean(axis=1), bands.std(axis=1))
    return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Head:
    """A linear classifier: ``labels``, weights ``float32[labels, n]``, biases, and the temperature its scores are calibrated
    with. ``network`` names the encoder it was trained on, ``name`` itself; below ``least`` it says nothing.
    """

    name: str
    network: str
    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    temperature: float
    least: float

    def scores(self, features: NDArray[np.float32]) -> dict[str, float]:
        """Calibrated probabilities by label."""
        logits = (self.weights @ features + self.biases) / self.temperature
        exponents = np.exp(logits - logits.max())
        return {
            label: round(float(share), 4) for label, share in zip(self.labels, exponents / exponents.sum(), strict=True)
        }


def load_head(path: Path) -> Head:
    """A head that ``benchmarks/voice_heads.py`` has trained: an ``.npz`` of plain arrays."""
    with np.load(path, allow_pickle=False) as file:
        return Head(
            name=str(file["name"]),
            network=str(file["network"]),
            labels=tuple(str(label) for label in file["labels"]),
            weights=file["weights"].astype(np.float32),
            biases=file["biases"].astype(np.float32),
            temperature=float(file["temperature"]),
            least=float(file["least"]),
        )
