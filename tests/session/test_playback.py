"""Which words were heard by when."""

from __future__ import annotations

import numpy as np

from session.driving import speech
from vivavoce.audio.audio_format import AudioFormat
from vivavoce.audio.pacing import Pacer
from vivavoce.session.playback import Playback


def playback() -> Playback:
    return Playback(Pacer(rate_hz=24_000, lead_ms=10_000), AudioFormat())


def test_the_pause_after_the_words_counts_for_none_of_them() -> None:
    spoken = playback()
    spoken.add_clause("one two three four")
    spoken.push(0, np.concatenate([speech(1000), np.zeros(24_000, np.float32)]))
    assert spoken.words_until(600) == "one two"
    assert spoken.words_until(1000) == "one two three four"
    assert spoken.words_until(2000) == "one two three four"


def test_words_follow_the_audio_over_clauses() -> None:
    spoken = playback()
    for index, text in enumerate(("one two. ", "three four.")):
        spoken.add_clause(text)
        spoken.push(index, speech(1000))
        spoken.clause_done(index)
    assert spoken.words_until(1000) == "one two."
    assert spoken.words_until(1600) == "one two. three"
    rest = spoken.unplayed_from(1600)
    assert [text for text, _ in rest.clauses] == ["four."]
    assert sum(len(pcm) for _, pcm in rest.clauses) == 400 * 48
