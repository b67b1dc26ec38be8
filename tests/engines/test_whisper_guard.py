"""The guard's rules: doubt, stock phrases, repetition that cannot have been said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.whisper.guard import collapse, fits, is_doubtful, is_stock_phrase, repeats, units
from vivavoce.engines.whisper.model import DecodedText

LOOP = "What joy there is in living. " * 3 + "What joy"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, it's 5-5!", ["don't", "stop", "it's", "5", "5"]),
        ("你好 OK 吗？", ["你", "好", "ok", "吗"]),
        ("スライス 2つ", ["ス", "ラ", "イ", "ス", "2", "つ"]),
        ("안녕 하세요", ["안녕", "하세요"]),
        ("... ♪", []),
    ],
)
def test_units_are_words_or_characters(text: str, expected: list[str]) -> None:
    assert units(text) == expected


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "doubtful"),
    [(0.05, -0.3, False), (0.9, -0.3, True), (0.05, -1.5, True), (0.2, -1.0, False)],
)
def test_doubt(no_speech: float, log_probability: float, doubtful: bool) -> None:
    assert is_doubtful(DecodedText("Yes.", no_speech, log_probability, cut_off=False)) is doubtful


@pytest.mark.parametrize("text", ["Thank you.", "you", "You you you", "作词 作曲", "Thanks for watching!", "MBC 뉴스"])
def test_stock_phrases(text: str) -> None:
    assert is_stock_phrase(text)


@pytest.mark.parametrize("text", ["Thank you for the tea.", "no, no, no", "five five", "谢谢", "", "You are right."])
def test_what_people_say_is_no_stock_phrase(text: str) -> None:
    assert not is_stock_phrase(text)


@pytest.mark.parametrize(
    "text", ["five five", "No, no, no.", "one one two two", "I said stop. I said stop.", "好的好的", LOOP]
)
def test_repetition_is_seen(text: str) -> None:
    assert repeats(text)


@pytest.mark.parametrize("text", ["", "no", "one two three", "no no, thank you", "How do you do today"])
def test_what_does_not_end_in_repetition(text: str) -> None:
    assert not repeats(text)


@pytest.mark.parametrize(
    ("text", "speech_s"),
    [("five five", 0.6), ("No, no, no, no, no, no.", 1.6), ("1, 1, 2, 2, 3, 3.", 1.4), ("好的好的好的", 0.9)],
)
def test_real_repetition_has_the_time_it_takes(text: str, speech_s: float) -> None:
    assert fits(text, speech_s)
    assert collapse(text, speech_s) == text


@pytest.mark.parametrize(
    ("text", "speech_s", "expected"),
    [
        (LOOP, 1.4, "What joy there is in living."),
        (LOOP, 2.5, "What joy there is in living. What joy there is in living."),
        ("Hi. Hi.", 0.35, "Hi."),
        ("Well, no no no no no no no no no no", 1.1, "Well, no no no no"),
        ("555 " * 12, 0.4, "555 555"),
        ("作曲" * 40, 0.4, "作曲作曲"),
        ("Nothing repeats itself here at all.", 0.0, "Nothing repeats itself here at all."),
    ],
)
def test_a_loop_keeps_what_there_was_time_for(text: str, speech_s: float, expected: str) -> None:
    assert collapse(text, speech_s) == expected


word = st.sampled_from(["no", "five", "you", "good", "好", "tea"])


@given(st.lists(word, min_size=1, max_size=30), st.floats(0, 10))
def test_collapsing_only_shortens_what_does_not_fit(said: list[str], speech_s: float) -> None:
    text = " ".join(said)
    kept = collapse(text, speech_s)
    assert kept
    assert text.startswith(kept)
    if fits(text, speech_s) or not repeats(text):
        assert kept == text
    else:
        assert len(units(kept)) < len(units(text))


@given(st.lists(word, min_size=1, max_size=8), st.integers(2, 6))
def test_every_loop_is_seen(said: list[str], copies: int) -> None:
    assert repeats(" ".join(said * copies))
