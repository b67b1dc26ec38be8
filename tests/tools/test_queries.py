"""What is searched for of what a person said."""

from __future__ import annotations

import pytest

from vivavoce.tools.queries import asks_something, without_preamble


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Um, hello, until when is it open?", "until when is it open?"),
        ("Good morning. Which room is it?", "Which room is it?"),
        ("Okay, so how much is a ticket?", "how much is a ticket?"),
        ("Hi there, are you open?", "are you open?"),
        ("嗯，你好，请问几点关门？", "几点关门？"),
        ("对了，停车收费吗？", "停车收费吗？"),
        ("すみません、駐車場はありますか？", "駐車場はありますか？"),
        ("Hello.", "Hello."),
        ("Hidden fees, are there any?", "Hidden fees, are there any?"),
        ("Software updates, how often?", "Software updates, how often?"),
        ("Sorting machines cost what?", "Sorting machines cost what?"),
        ("那个红色的多少钱？", "那个红色的多少钱？"),
        ("那个，你好，几点关门？", "几点关门？"),
    ],
)
def test_greetings_and_hesitation_are_not_searched_for(text: str, asked: str) -> None:
    assert without_preamble(text) == asked


@pytest.mark.parametrize(
    "text",
    [
        "What is the top speed?",
        "hello, how fast is it",
        "Tell me the top speed.",
        "最高时速是多少？",
        "有没有餐厅",
        "駐車場はありますか",
    ],
)
def test_what_wants_to_know_something(text: str) -> None:
    assert asks_something(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is raining a lot today, isn't it?",
        "Nice day, right?",
        "It rains.",
        "Really?",
        "是吗？",
        "今天雨真大啊。",
        "天气不错，对吧？",
        "いい天気ですね。",
    ],
)
def test_what_wants_to_be_agreed_with(text: str) -> None:
    assert not asks_something(text)
