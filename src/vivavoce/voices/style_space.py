"""Where voices lie: the directions in which the built-in voices differ most, so that a search stays among voices.

A voice is ``float32[rows, size]``; a move shifts all rows alike, by so many standard deviations along each principal component
of the built-in voices' means. The two halves of the columns (timbre and prosody) have components of their own: 24 hold 90 % of
the one's variance, 8 hold 68 % of the other's.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

COMPONENTS = (24, 8)
SPREAD = 2.5
"""Standard deviations from the middle of the built-in voices beyond which a voice is an outlier."""


class StyleSpace:
    """The space of ``builtin_voices`` voices. ``dimensions`` is the length of a move."""

    def __init__(self, builtin_voices: Iterable[NDArray[np.float32]]) -> None:
        means = np.stack([voice.mean(axis=0) for voice in builtin_voices]).astype(np.float64)
        self._middle = means.mean(axis=0)
        half = means.shape[1] // 2
        blocks = [
            _components(means - self._middle, columns, count)
            for columns, count in zip((slice(None, half), slice(half, None)), COMPONENTS, strict=True)
        ]
        self._axes = np.concatenate([axes for axes, _ in blocks])
        self._deviations = np.concatenate([deviations for _, deviations in blocks])
        self.dimensions = len(self._axes)

    def moved(self, voice: NDArray[np.float16], move: NDArray[np.float64]) -> NDArray[np.float16]:
        """The voice at ``move`` from ``voice``."""
        shift = (move * self._deviations) @ self._axes
        moved: NDArray[np.float16] = (voice.astype(np.float64) + shift).astype(np.float16)
        return moved

    def outlier_distance(self, voice: NDArray[np.float16]) -> float:
        """How far a voice lies outside of the built-in voices' spread: 0 within it."""
        place = self._axes @ (voice.astype(np.float64).mean(axis=0) - self._middle) / self._deviations
        return float((np.maximum(0.0, np.abs(place) - SPREAD) ** 2).sum())


def _components(
    centred: NDArray[np.float64], columns: slice, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first ``count`` axes within these columns, ``float64[count, size]``, and the deviations along them."""
    block = np.zeros_like(centred)
    block[:, columns] = centred[:, columns]
    _, singular, axes = np.linalg.svd(block, full_matrices=False)
    deviations = singular / np.sqrt(max(1, len(centred) - 1))
    used = min(count, int((deviations > 1e-6 * max(1e-12, float(deviations[0]))).sum()))
    return axes[:used], deviations[:used]
