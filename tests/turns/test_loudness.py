"""The energy gate: one loud window anywhere opens it."""

from __future__ import annotations

import numpy as np
import pytest

from vivavoce.turns.loudness import FLOOR, audible

RATE_HZ = 16_000


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1, 9.97, 31.0])
def test_one_loud_window_is_enough(seconds: float) -> None:
    samples = np.full(round(seconds * RATE_HZ), FLOOR / 2, np.float32)
    assert not audible(samples, RATE_HZ)
    if len(samples):
        samples[-800:] = 4 * FLOOR  # half a window, at the end
        assert audible(samples, RATE_HZ)
        assert audible(samples[::-1].copy(), RATE_HZ)


def test_nothing_is_as_loud_as_the_floor() -> None:
    assert not audible(np.full(RATE_HZ, FLOOR * 0.99, np.float32), RATE_HZ)
    assert audible(np.full(RATE_HZ, FLOOR * 1.01, np.float32), RATE_HZ)
