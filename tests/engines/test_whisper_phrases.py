"""Phrases between pauses, and whether a reading tells all of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.whisper.phrases import Phrase, agrees, alike, covers, miscounted, phrases, says_more

RATE_HZ, FRAME = 16_000, 512
"""32 ms a frame, as Silero has them."""


def found(speech: str) -> list[Phrase]:
    """``#`` is a frame of speech, ``.`` one of silence."""
    return phrases([frame == "#" for frame in speech], FRAME, RATE_HZ, len(speech) * FRAME)


def spans(speech: str) -> list[tuple[int, int]]:
    return [(one.start // FRAME, one.end // FRAME) for one in found(speech)]


@pytest.mark.parametrize(
    ("speech", "expected"),
    [
        ("", []),
        ("....", []),
        ("..##########..", [(2, 12)]),
        ("########...########", [(0, 19)]),  # 96 ms: a stop consonant
        ("########....########", [(0, 8), (12, 20)]),
        ("########.....###.....########", [(0, 8), (21, 29)]),  # a cough is no phrase
        ("###...", []),
    ],
)
def test_phrases_lie_between_pauses(speech: str, expected: list[tuple[int, int]]) -> None:
    assert spans(speech) == expected


def test_a_phrase_is_read_with_its_margins_up_to_the_middle_of_the_pause() -> None:
    first, second = found("." * 20 + "#" * 10 + "." * 4 + "#" * 10 + "." * 20)
    assert (first.audio_start, first.audio_end) == (20 * FRAME - 3200, 32 * FRAME)
    assert (second.audio_start, second.audio_end) == (32 * FRAME, 44 * FRAME + 3200)


@given(st.text("#.", max_size=120))
def test_phrases_never_overlap_and_stay_within(speech: str) -> None:
    length = len(speech) * FRAME
    every = found(speech)
    assert all(0 <= one.audio_start <= one.start < one.end <= one.audio_end <= length for one in every)
    assert all(before.audio_end <= after.audio_start for before, after in pairwise(every))


THREE = found("########......########......########")


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((0, 4, 15, 30), True),
        ((0, 2, 4, 6), False),  # said three times, written once
        ((0, 15, 17, 21), False),
        ((0, 12, 26), True),  # a token may begin shortly before its phrase
        ((), False),
    ],
)
def test_a_reading_covers_the_phrases_it_was_made_from(frames: tuple[int, ...], expected: bool) -> None:
    assert covers(THREE, [frame * FRAME for frame in frames]) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I know.", False),
        ("No, no, no.", False),
        ("No, no, no, no, no, no.", False),  # two each
        ("No, no.", True),
        ("No, no, no, no.", True),
        ("How do I boil an egg? How do I boil an egg?", True),
        ("Well, then go on, please.", False),
    ],
)
def test_repetitions_come_out_even_with_the_phrases(text: str, expected: bool) -> None:
    assert miscounted(text, THREE) is expected


@pytest.mark.parametrize(
    ("text", "whole", "expected"),
    [
        ("No. No. No.", "No, no, no, no.", True),
        ("好的。好的。", "好的", True),
        ("Know. No. Nor.", "No, no", False),
        ("", "No, no", False),
    ],
)
def test_two_readings_agree_on_the_words_whatever_their_number(text: str, whole: str, expected: bool) -> None:
    assert agrees(text, whole) is expected


def test_more_words_are_more() -> None:
    assert says_more("No. No.", "No")
    assert not says_more("No.", "NO!")
    assert not says_more("?!", "no")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [(["はい", "はい。", "はい"], True), (["Yes.", "yes"], True), (["はい", "はじ"], False), (["", ""], False)],
)
def test_phrases_that_say_the_same_are_alike(parts: list[str], expected: bool) -> None:
    assert alike(parts) is expected
