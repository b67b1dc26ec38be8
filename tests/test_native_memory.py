"""Giving memory back."""

from __future__ import annotations

import sys

import numpy as np
import psutil
import pytest

from vivavoce.native_memory import trim

PIECES, PIECE_BYTES = 4000, 16_000
"""Each too small to have pages of its own, so that the C library keeps it."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc keeps and trims")
def test_what_lies_free_between_what_is_in_use_is_given_back() -> None:
    own = psutil.Process()
    pieces = [np.ones(PIECE_BYTES, np.uint8) for _ in range(PIECES)]
    kept = pieces[::50]
    pieces.clear()
    before = own.memory_info().rss
    trim()
    assert before - own.memory_info().rss > PIECES * PIECE_BYTES / 2
    assert kept


def test_twice_is_not_too_often() -> None:
    trim()
    trim()
