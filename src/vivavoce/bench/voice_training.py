"""Shrinkage LDA, tests without the speakers it was trained on, and calibration. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.bench.voice_examples import Example

SHRINKAGE = 0.2
"""How far the covariance is drawn to its diagonal's mean; chosen on EMO-DB before (see ``docs/understanding.md``)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Linear:
    """A trained classifier: one row of weights a label."""

    labels: tuple[str, ...]
    weights: Floats
    biases: Floats

    def logits(self, features: Floats) -> Floats:
        """``float32[n, labels]`` for ``float32[n, d]``."""
        return np.asarray(features @ self.weights.T + self.biases, np.float32)


def train(examples: Sequence[Example], shrinkage: float = SHRINKAGE) -> Linear:
    """LDA with equal priors: features are standardised first, which the weights undo again."""
    features = np.stack([example.features for example in examples]).astype(np.float64)
    labels = np.array([example.label for example in examples])
    names = tuple(sorted(set(labels)))
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    standard = (features - mean) / scale
    means = np.stack([standard[labels == name].mean(axis=0) for name in names])
    within = np.concatenate([standard[labels == name] - means[at] for at, name in enumerate(names)])
    weights_of = np.concatenate([np.full((labels == name).sum(), 1 / (labels == name).sum()) for name in names])
    covariance = (within * (weights_of / len(names))[:, None]).T @ within
    ridge = np.trace(covariance) / len(covariance)
    covariance = (1 - shrinkage) * covariance + shrinkage * ridge * np.eye(len(covariance))
    directions = np.linalg.solve(covariance, means.T).T
    biases = -0.5 * np.einsum("ij,ij->i", directions, means)
    weights = directions / scale
    return Linear(names, weights.astype(np.float32), (biases - weights @ mean).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What was said of examples whose speakers were not trained on: ``logits`` and the right ``labels``, row by row."""

    names: tuple[str, ...]
    labels: NDArray[np.str_]
    logits: Floats

    def recall(self) -> float:
        """Unweighted: the mean over the labels there are."""
        right = np.array(self.names)[self.logits.argmax(axis=1)] == self.labels
        return float(np.mean([right[self.labels == name].mean() for name in sorted(set(self.labels))]))

    def scores(self, temperature: float) -> Floats:
        """Probabilities."""
        scaled = self.logits / temperature
        exponents = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), np.float32)

    def temperature(self) -> float:
        """With which the scores are as right as they say: least cross-entropy."""
        right = np.array([self.names.index(label) for label in self.labels])
        grid = np.geomspace(0.5, 40, 80)
        losses = [-np.log(self.scores(float(t))[np.arange(len(right)), right] + 1e-9).mean() for t in grid]
        return float(grid[int(np.argmin(losses))])

    def coverage(self, temperature: float, least: float) -> tuple[float, float]:
        """The share that is answered from this score on, and how much of that is right."""
        scores = self.scores(temperature)
        answered = scores.max(axis=1) >= least
        right = np.array(self.names)[scores.argmax(axis=1)] == self.labels
        return float(answered.mean()), float(right[answered].mean()) if answered.any() else 0.0


def without_speaker(
    examples: Sequence[Example],
    trains: Callable[[Example], bool],
    tests: Callable[[Example], bool],
    shrinkage: float = SHRINKAGE,
) -> Outcomes:
    """Each speaker judged by a classifier that was trained on the others: ``trains`` and ``tests`` choose the copies."""
    names: tuple[str, ...] = ()
    labels: list[str] = []
    logits: list[Floats] = []
    for group in sorted({example.group for example in examples}):
        test = [example for example in examples if example.group == group and tests(example)]
        trained = train([example for example in examples if example.group != group and trains(example)], shrinkage)
        names = trained.labels
        labels += [example.label for example in test]
        logits.append(trained.logits(np.stack([example.features for example in test])))
    return Outcomes(names, np.array(labels), np.concatenate(logits))
