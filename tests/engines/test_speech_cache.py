"""The cache of short clauses: bounded, and what comes once does not push out what comes often."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.speech_cache import LONGEST_TEXT, MOST_SAMPLES, MOST_SEEN, SpeechCache
from vivavoce.types import Samples, SpeakOptions

OPTIONS = SpeakOptions("a", "en")


def speech(seconds: float) -> list[Samples]:
    return [np.zeros(round(seconds * 24_000), np.float32)]


def test_what_comes_once_is_not_wanted() -> None:
    cache = SpeechCache()
    assert not cache.wants(("engine", "Sure,", OPTIONS))
    assert cache.wants(("engine", "Sure,", OPTIONS))
    assert not cache.wants(("engine", "x" * (LONGEST_TEXT + 1), OPTIONS))
    for number in range(MOST_SEEN):
        cache.wants(("engine", str(number), OPTIONS))
    assert not cache.wants(("engine", "Sure,", OPTIONS)), "long ago"


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0.1, 30)), max_size=60))
def test_the_cache_is_bounded_and_keeps_what_came_last(kept: list[tuple[int, float]]) -> None:
    cache = SpeechCache()
    for name, seconds in kept:
        cache.keep(("engine", str(name), OPTIONS), speech(seconds))
        held = [cache.get(("engine", str(number), OPTIONS)) for number in range(21)]
        assert sum(len(pieces[0]) for pieces in held if pieces is not None) <= MOST_SAMPLES
        assert cache.get(("engine", str(name), OPTIONS)) is not None


def test_a_voice_is_forgotten() -> None:
    cache = SpeechCache()
    cache.keep(("engine", "Sure,", OPTIONS), speech(1))
    cache.forget("engine", "b")
    assert cache.get(("engine", "Sure,", OPTIONS)) is not None
    cache.forget("engine", "a")
    assert cache.get(("engine", "Sure,", OPTIONS)) is None
