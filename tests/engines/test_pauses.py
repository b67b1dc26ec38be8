from __future__ import annotations

import numpy as np
import pytest

from vivavoce.engines.pauses import CLAUSE_MS, SENTENCE_MS, finish, pause_ms

RATE_HZ = 24_000


@pytest.mark.parametrize(
    ("phonemes", "pause"),
    [("həlˈO.", SENTENCE_MS), ("həlˈO?”", SENTENCE_MS), ("həlˈO, ", CLAUSE_MS), ("həlˈO", 0), ("", 0)],
)
def test_the_last_mark_sets_the_pause(phonemes: str, pause: int) -> None:
    assert pause_ms(phonemes) == pause


def test_a_clip_is_trimmed_and_its_pause_shrinks_with_speed() -> None:
    clip = np.concatenate([np.zeros(RATE_HZ), np.ones(RATE_HZ), np.zeros(RATE_HZ)]).astype(np.float32)
    phrase = finish(clip, "a", RATE_HZ, 1.0)
    assert len(phrase) < 1.05 * RATE_HZ
    assert len(finish(clip, "a.", RATE_HZ, 1.0)) - len(phrase) == SENTENCE_MS * RATE_HZ // 1000
    assert len(finish(clip, "a.", RATE_HZ, 2.0)) - len(phrase) == SENTENCE_MS * RATE_HZ // 2000


def test_silence_stays_nothing() -> None:
    assert len(finish(np.zeros(100, np.float32), "a.", RATE_HZ, 1.0)) == 0
