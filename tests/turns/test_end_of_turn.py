"""The end-of-turn model: what moves its probability, and the wait that follows; with the weights that are shipped."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.protocol.session_config import Eagerness
from vivavoce.turns.end_of_turn import (
    MAX_WAITS_MS,
    MIN_WAIT_MS,
    PauseEvidence,
    end_probability,
    features,
    head_of,
    shipped_weights,
    wait_ms,
)

shares = st.floats(0.0, 1.0)
milliseconds = st.integers(0, 100_000)
texts = st.sampled_from(
    [
        "",
        "I want to go to Paris.",
        "I want to go and",
        "My number is 4 7",
        "Yes.",
        "Eggs, milk",
        "那个",
        "会議があるので、",
        "Why?",
    ]
)
evidences = st.builds(
    PauseEvidence,
    paused_ms=milliseconds,
    speech_ms=milliseconds,
    sound=st.none() | shares,
    text=st.none() | texts | st.text(max_size=40),
    language=st.sampled_from(["en", "zh", "ja", "de", ""]),
    sentence_end=st.none() | shares,
    question=st.none() | st.sampled_from(["What is your phone number?", "Shall I?", "Hello.", "您要去哪里？"]),
    typical_pause_ms=st.none() | milliseconds,
    longest_pause_ms=st.none() | milliseconds,
)
eagernesses = st.sampled_from(get_args(Eagerness))

FINISHED = PauseEvidence(
    paused_ms=150, speech_ms=1800, sound=0.97, text="What is the weather in Boston today?", sentence_end=0.7
)
CUT = replace(FINISHED, sound=0.2, text="What is the weather in Boston and", sentence_end=0.001)


@given(evidences, eagernesses)
def test_any_evidence_gives_a_probability_and_a_wait_within_bounds(
    evidence: PauseEvidence, eagerness: Eagerness
) -> None:
    assert 0.0 <= end_probability(evidence) <= 1.0
    assert MIN_WAIT_MS <= wait_ms(evidence, eagerness) <= MAX_WAITS_MS[eagerness]


@given(evidences)
def test_a_more_eager_session_never_waits_longer(evidence: PauseEvidence) -> None:
    assert wait_ms(evidence, "high") <= wait_ms(evidence, "medium") <= wait_ms(evidence, "low")
    assert wait_ms(evidence, "auto") == wait_ms(evidence, "medium")


@given(evidences, shares, shares, eagernesses)
def test_a_more_finished_sound_or_sentence_never_waits_longer(
    evidence: PauseEvidence, one: float, other: float, eagerness: Eagerness
) -> None:
    low, high = sorted((one, other))
    for less, more in (
        (replace(evidence, sound=low), replace(evidence, sound=high)),
        (replace(evidence, sentence_end=low), replace(evidence, sentence_end=high)),
    ):
        assert wait_ms(more, eagerness) <= wait_ms(less, eagerness)
        assert end_probability(more) >= end_probability(less)


@given(evidences, milliseconds, milliseconds)
def test_the_longer_the_silence_the_likelier_the_end(evidence: PauseEvidence, one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert end_probability(replace(evidence, paused_ms=short)) <= end_probability(replace(evidence, paused_ms=long))


@given(evidences, milliseconds, eagernesses)
def test_who_pauses_for_long_is_waited_for(evidence: PauseEvidence, shorter: int, eagerness: Eagerness) -> None:
    brief = replace(evidence, typical_pause_ms=shorter, longest_pause_ms=shorter)
    slow = replace(evidence, typical_pause_ms=shorter + 500, longest_pause_ms=shorter + 900)
    assert wait_ms(slow, eagerness) >= wait_ms(brief, eagerness)


@given(evidences, eagernesses)
def test_the_wait_is_where_the_probability_reaches_the_threshold(evidence: PauseEvidence, eagerness: Eagerness) -> None:
    threshold = shipped_weights().thresholds["medium" if eagerness == "auto" else eagerness]
    wait = wait_ms(evidence, eagerness)
    if MIN_WAIT_MS < wait < MAX_WAITS_MS[eagerness]:
        assert end_probability(replace(evidence, paused_ms=wait)) == pytest.approx(threshold, abs=0.01)


def test_a_finished_utterance_ends_sooner_than_by_a_safe_silence_and_an_unfinished_one_is_waited_for() -> None:
    assert wait_ms(FINISHED, "medium") < 700
    assert wait_ms(CUT, "medium") >= 900
    assert end_probability(FINISHED) > 0.7 > 0.2 > end_probability(CUT)


def test_a_question_that_wants_patience_gets_it() -> None:
    digits = replace(FINISHED, text="555 123.", sentence_end=0.3, sound=0.8)
    asked = replace(digits, question="What is your phone number?")
    assert wait_ms(asked, "medium") > wait_ms(digits, "medium")
    yes = replace(FINISHED, text="Yes.", sentence_end=0.3, sound=0.8)
    assert wait_ms(replace(yes, question="Shall I book it?"), "medium") <= wait_ms(yes, "medium")


def test_there_are_weights_for_every_set_of_evidence() -> None:
    weights = shipped_weights()
    names = features(FINISHED)
    for sound in (None, 0.5):
        for text in (None, "Yes."):
            for sentence_end in (None, 0.5):
                evidence = PauseEvidence(paused_ms=200, sound=sound, text=text, sentence_end=sentence_end)
                head = weights.heads[head_of(evidence)]
                assert head["silence"] > 0
                assert set(head) <= {*names, "silence"}
                assert all(math.isfinite(weight) for weight in head.values())
    assert 0 < weights.thresholds["high"] <= weights.thresholds["medium"] <= weights.thresholds["low"] < 1
