"""How words end: tables of three languages and the others, and what holds of any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.turns.unfinished_words import (
    CLOSED_PHRASES,
    HESITATIONS,
    OPEN_WORDS,
    awaits_digits,
    ending,
    final_mark,
    trailing_digits,
    without_final_mark,
)


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("I would like to go to Paris and", "en", "open"),
        ("I can't come because...", "en", "open"),
        ("My phone number is", "en", "open"),
        ("We went to the", "en", "open"),
        ("Well, um,", "en", "hesitation"),
        ("Let me think.", "en", "hesitation"),
        ("Apples, bananas,", "en", "list"),
        ("I need eggs, milk, flour", "en", "list"),
        ("I need eggs, milk, and flour.", "en", "plain"),
        ("My order number is 4 7", "en", "number"),
        ("It's eight four two", "en", "number"),
        ("Book it, please.", "en", "closed"),
        ("What is the weather in Boston?", "en", "plain"),
        ("Turn on the sand", "en", "plain"),
        ("我不能去，因为", "zh", "open"),
        ("我想要那个", "zh", "hesitation"),
        ("苹果、香蕉", "zh", "list"),
        ("号码是一三八", "zh-CN", "number"),
        ("明天会下雨吗？", "zh", "closed"),
        ("请把灯关掉。", "zh", "plain"),
        ("会議があるので", "ja", "open"),
        ("聞きたいことがあるんですけど、", "ja", "open"),
        ("えっと", "ja", "hesitation"),
        ("明日は雨ですか？", "ja", "closed"),
        ("番号は八四二", "ja", "number"),
        ("Ich komme nicht, weil", "de", "open"),
        ("Je ne sais pas, euh", "fr", "hesitation"),
        ("No puedo porque", "es", "open"),
        ("저는 학교에 갔는데", "ko", "open"),
        ("Something and", "nl", "open"),
        ("", "en", "plain"),
        ("…", "zh", "plain"),
    ],
)
def test_how_it_ends(text: str, language: str, kind: str) -> None:
    assert ending(text, language) == kind


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Yes.", "period"),
        ("好的！", "period"),
        ("Really?", "question"),
        ("真的吗？", "question"),
        ("Well,", "comma"),
        ("苹果、", "comma"),
        ("I was...", "ellipsis"),
        ("I was —", "ellipsis"),
        ('He said "stop."', "period"),
        ("and then", "none"),
        ("", "none"),
    ],
)
def test_the_mark_at_the_end(text: str, mark: str) -> None:
    assert final_mark(text) == mark


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("It is 555-123 4.", "en", 7),
        ("five five five", "en", 3),
        ("S M I T H", "en", 5),
        ("一三八，零零", "zh", 5),
        ("I am", "en", 0),
    ],
)
def test_digits_at_the_end(text: str, language: str, count: int) -> None:
    assert trailing_digits(text, language) == count


def test_a_number_that_was_asked_for_or_announced_is_awaited_until_it_may_be_whole() -> None:
    assert awaits_digits("555 123", "en", "What is your phone number?")
    assert awaits_digits("My order number is 4 7", "en", None)
    assert awaits_digits("我的电话号码是一三八", "zh", None)
    assert not awaits_digits("555 123 4567", "en", "What is your phone number?")
    assert not awaits_digits("I am 34", "en", "How old are you?")
    assert not awaits_digits("I don't know", "en", "What is your phone number?")


@given(st.text(), st.sampled_from([*OPEN_WORDS, "en-US", "nl", ""]), st.none() | st.text())
def test_any_text_has_an_ending(text: str, language: str, question: str | None) -> None:
    marks = final_mark(text)
    assert ending(text, language) in ("open", "hesitation", "list", "number", "closed", "plain")
    assert marks in ("period", "question", "comma", "ellipsis", "none")
    assert awaits_digits(text, language, question) in (True, False)
    assert text.strip().startswith(without_final_mark(text))


@given(st.sampled_from(sorted(OPEN_WORDS)), st.data())
def test_a_final_mark_of_the_recogniser_does_not_hide_an_open_word(language: str, data: st.DataObject) -> None:
    phrase = data.draw(st.sampled_from(OPEN_WORDS[language].split(", ")))
    kind = ending(f"xx {phrase}", language)
    assert kind != "plain"
    assert all(ending(f"xx {phrase}{mark}", language) == kind for mark in (".", "。", "?", "...", ","))


def test_no_phrase_is_in_a_table_twice() -> None:
    for tables in (OPEN_WORDS, HESITATIONS, CLOSED_PHRASES):
        for table in tables.values():
            phrases = table.split(", ")
            assert len(phrases) == len(set(phrases))
