"""Numbers as digits, and those nobody has mentioned."""

from __future__ import annotations

import pytest

from vivavoce.bench.spoken_numbers import in_digits, numbers_of, ungrounded, with_afternoons
from vivavoce.types import Language


@pytest.mark.parametrize(
    ("language", "text", "digits"),
    [
        ("en", "You have forty-five days.", "you have 45 days."),
        ("en", "It costs forty-five euros eighty.", "it costs 45.80 euros."),
        ("en", "Order four seven one one two", "order 47112"),
        ("en", "P three oh eight seven", "p 3087"),
        ("en", "at half past six", "at 6:30"),
        ("en", "until 6:30 pm", "until 18:30"),
        ("en", "until 7 p.m. today", "until 19:00 today"),
        ("en", "a quarter to seven, twenty past two", "6:45, 2:20"),
        ("en", "1,250 of them", "1250 of them"),
        ("en", "order 4-7-1-1-2", "order 47112"),
        ("en", "on the twenty-first", "on the 21"),
        ("en", "two hundred and five", "205"),
        ("zh", "四十五天", "45天"),
        ("zh", "订单四七一一二", "订单47112"),
        ("zh", "下午六点半", "下午18:30"),
        ("zh", "四十五块八", "45.80元"),
        ("zh", "一块七，六十一块五", "1.70元,61.50元"),
        ("zh", "八十元零七分", "80.07元"),
        ("zh", "百分之十五", "15%"),
        ("zh", "十分感谢，我们周二见", "十分感谢,我们周二见"),
        ("zh", "三点五公斤", "3.5公斤"),
    ],
)
def test_numbers_in_words_become_digits(language: Language, text: str, digits: str) -> None:
    assert in_digits(text, language) == digits


@pytest.mark.parametrize(
    ("answer", "known", "invented"),
    [
        ("within 45 days", "You can return goods within 45 days.", set[str]()),
        ("usually 30 days", "You can return goods within 45 days.", {"30"}),
        ("until 6:30 pm", "open from 10:00 to 18:30", set[str]()),
        ("until 6:30", "open from 10:00 to 18:30", set[str]()),
        ("from 10 to 6:30", "open from 10:00 to 18:30", set[str]()),
        ("until 7 pm", "open from 10:00 to 18:30", {"19:00"}),
        ("it costs 79 euros", "79.00", set[str]()),
        ("45 euros and 80 cents", "45.80 euros", set[str]()),
        ("one of two ways", "nothing", set[str]()),
        ("we are here 24/7", "from 10:00", {"24", "7"}),
        ("1. go there\n2. pay\n3. leave", "nothing", set[str]()),
    ],
)
def test_numbers_nobody_has_mentioned_are_found(answer: str, known: str, invented: set[str]) -> None:
    assert ungrounded(in_digits(answer, "en"), in_digits(known, "en")) == invented


def test_a_time_may_be_one_of_the_afternoon() -> None:
    assert with_afternoons("at 2:20") == "at 2:20 14:20"
    assert with_afternoons("at 12:20") == "at 12:20"


def test_zeros_without_meaning_do_not_count() -> None:
    assert numbers_of("048.20 and 6.00") == {"48.2", "6"}
