"""Pauses put into recordings: of the right length, at a quiet place, as loud as the room, and without a click."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripted_server import RATE_HZ, tone
from vivavoce.bench.pauses import FADE_MS, MIDDLE, background, gap_at, paused, with_pause
from vivavoce.bench.questions import Question
from vivavoce.client.recording import speech_end_ms
from vivavoce.types import Samples

ROOM = 0.002
"""RMS of the noise of the room."""


def noise(milliseconds: float, level: float = ROOM) -> Samples:
    n = round(milliseconds * RATE_HZ / 1000)
    return (np.random.default_rng(1).standard_normal(n) * level).astype(np.float32)


def recording(*words_ms: int, gap_ms: int = 60, lead_ms: int = 300) -> Question:
    """Words in a room, with gaps between them."""
    pieces = [noise(lead_ms)]
    for word_ms in words_ms:
        pieces += [tone(word_ms), noise(gap_ms)]
    samples = np.concatenate([*pieces, noise(300)])
    return Question("q", "en", samples, speech_end_ms(samples), "one two three four")


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@pytest.mark.parametrize("length_ms", [1, 200, 800])
def test_the_speech_before_and_after_is_the_same_and_ends_later(length_ms: int) -> None:
    question = recording(300, 300, 300, 300)
    longer = with_pause(question, length_ms)
    added = length_ms * RATE_HZ // 1000
    assert len(longer.samples) == len(question.samples) + added
    assert longer.speech_end_ms == question.speech_end_ms + length_ms
    assert (longer.pause_ms, longer.text, longer.name) == (length_ms, question.text, question.name)
    assert speech_end_ms(longer.samples) == pytest.approx(longer.speech_end_ms)
    cut, fade = gap_at(question.samples, question.speech_end_ms), FADE_MS * RATE_HZ // 1000
    assert (longer.samples[: cut - fade] == question.samples[: cut - fade]).all()
    assert (longer.samples[cut + added + fade :] == question.samples[cut + fade :]).all()


def test_it_is_put_between_words_in_the_middle_and_sounds_like_the_room() -> None:
    question = recording(300, 300, 300, 300)
    cut_ms = gap_at(question.samples, question.speech_end_ms) * 1000 / RATE_HZ
    gaps_ms = [300 + 300 * n + 60 * (n - 1) + 30 for n in (1, 2, 3)]
    assert min(abs(cut_ms - gap_ms) for gap_ms in gaps_ms) <= 10
    longer = with_pause(question, 800).samples
    start = gap_at(question.samples, question.speech_end_ms) + 600
    inside = longer[start : start + 16_800]
    for stretch in inside.reshape(-1, 2400):
        assert rms(stretch) == pytest.approx(ROOM, rel=0.35)
    assert np.abs(inside).max() < 8 * ROOM, "no click"


def test_the_quietest_place_is_looked_for_only_in_the_middle_of_the_speech() -> None:
    question = recording(100, 1000, 1000, 100)
    samples = question.samples.copy()
    samples[300 * 24 + 100 * 24 : 300 * 24 + 160 * 24] = 0  # between the first two words, in the first quarter
    cut_ms = gap_at(samples, question.speech_end_ms) * 1000 / RATE_HZ
    speech_ms = question.speech_end_ms - 300
    assert 300 + MIDDLE[0] * speech_ms <= cut_ms <= 300 + MIDDLE[1] * speech_ms


def test_where_there_is_no_gap_the_quietest_place_will_do() -> None:
    loud = tone(1000)
    loud[11_000:13_000] *= 0.2
    assert 11_000 <= gap_at(loud, 1000.0) <= 13_000


def test_silence_stays_silence_and_the_background_is_the_same_every_time() -> None:
    assert not background(np.zeros(24_000, np.float32), 4800).any()
    assert (background(noise(500), 4800) == background(noise(500), 4800)).all()


@given(st.integers(0, 4000), st.integers(1, 300), st.integers(0, 500))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_is_recorded_it_grows_by_the_pause(length: int, pause_ms: int, end_ms: int) -> None:
    samples = noise(length / 24, 0.1)
    longer = with_pause(Question("q", "en", samples, float(end_ms)), pause_ms)
    assert len(longer.samples) == len(samples) + pause_ms * 24
    assert longer.samples.dtype == np.float32
    assert np.isfinite(longer.samples).all()


def test_every_question_is_asked_without_and_with_each_pause() -> None:
    questions = [recording(300, 300, 300), replace(recording(200, 200, 200, 200), name="r")]
    asked = [(one.name, one.pause_ms) for one in paused(questions, [200, 400])]
    assert asked == [("q", 0), ("r", 0), ("q", 200), ("r", 200), ("q", 400), ("r", 400)]
    assert paused(questions, []) == questions
