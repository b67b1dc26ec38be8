"""An answer read along sentence by sentence."""

from __future__ import annotations

import pytest

from vivavoce.conduct.lengths import Length, asked_length
from vivavoce.conduct.sentences import SentenceFilter, keys_of, sentences_in


def through(filter_: SentenceFilter, text: str) -> str:
    return "".join([*map(filter_.push, text), filter_.flush()])


def test_what_was_said_before_is_left_out() -> None:
    filter_ = SentenceFilter(keys_of(["Ask me whatever you like. Porto is nice."]))
    assert through(filter_, "It costs 3.20 euros. Ask me whatever you like! Bye.") == "It costs 3.20 euros. Bye."
    assert filter_.dropped == 1


def test_a_sentence_is_not_said_twice_in_one_answer() -> None:
    assert (
        through(SentenceFilter(frozenset()), "雨慢慢地停了下来。雨慢慢地停了下来。天亮了。")
        == "雨慢慢地停了下来。天亮了。"
    )


def test_short_sentences_may_come_again() -> None:
    assert through(SentenceFilter(keys_of(["Of course! 好的。"])), "Of course! 好的。") == "Of course! 好的。"


def test_words_leave_as_soon_as_they_differ() -> None:
    filter_ = SentenceFilter(keys_of(["You can visit the harbour."]))
    assert filter_.push("You can ") == ""
    assert filter_.push("see it") == "You can see it"


def test_it_ends_with_the_last_sentence_there_may_be() -> None:
    filter_ = SentenceFilter(frozenset(), most_sentences=2)
    assert (
        through(filter_, "Dr. Lee has 3.5 dogs. They bark! Much more. And more.") == "Dr. Lee has 3.5 dogs. They bark!"
    )
    assert filter_.over


def test_no_sentence_makes_it_longer_than_it_may_be_but_the_first() -> None:
    filter_ = SentenceFilter(frozenset(), most_units=6, length=Length(0, by_characters=False))
    assert through(filter_, "One two three four five six seven. Eight nine. ") == "One two three four five six seven."


def test_it_goes_on_without_words_about_going_on() -> None:
    filter_ = SentenceFilter(frozenset(), length=Length(0, by_characters=False), stop_at=4)
    assert through(filter_, "Once there was a king. He slept.") == "Once there was a king."
    filter_.next_part()
    filter_.stop_at = 0
    assert through(filter_, "Sure, here it goes on:\nThe king woke up.") == " The king woke up."


def test_the_closing_is_left_to_others_in_whatever_words() -> None:
    filter_ = SentenceFilter(frozenset(), closing="We are open from seven to four.")
    assert through(filter_, "Bread is 4 euros. We are open from 7 to 4. Bye.") == "Bread is 4 euros. Bye."


def test_all_of_a_text_is_in_its_sentences() -> None:
    text = 'He said: "Go." Then 3.5 km.\nNext line 好的。再见'
    assert "".join(sentences_in(text)) == text


@pytest.mark.parametrize(
    ("text", "language", "length"),
    [
        ("A story of about one hundred and twenty words, please.", "en", Length(120, by_characters=False)),
        ("Tell me a three-minute story.", "en", Length(429, by_characters=False)),
        ("In at most forty words, please.", "en", Length(34, by_characters=False)),
        ("讲一个一百五十字左右的故事。", "zh", Length(150, by_characters=True)),
        ("讲个两分钟的故事。", "zh", Length(460, by_characters=True)),
        ("Two words: thank you.", "en", None),
        ("I wait for ten minutes.", "en", None),
    ],
)
def test_a_length_that_is_asked_for(text: str, language: str, length: Length | None) -> None:
    assert asked_length(text, language) == length
