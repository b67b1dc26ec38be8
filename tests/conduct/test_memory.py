"""What users have told of themselves, and how an answer about it begins."""

from __future__ import annotations

import pytest

from vivavoce.conduct.memory import recalled
from vivavoce.text.inverse import inverse_normalized
from vivavoce.types import Message


def told(*said: str) -> list[Message]:
    return [message for text in said for message in (Message("user", text), Message("assistant", "I see."))]


@pytest.mark.parametrize(
    ("said", "question", "begun"),
    [
        ("I'm Marta, and my lucky number is nine.", "What is my lucky number?", "Your lucky number is"),
        ("My parrot Koko talks a lot.", "So, what's my parrot called?", "Your parrot is"),
        ("I'm a plumber.", "What do I do for a living?", "You"),
        ("I'm a plumber.", "Do you remember my job?", "Your job is"),
        ("I live on the third floor.", "On which floor do I live?", "You live"),
        ("My code is seven one two.", "Which code did I give you?", "You"),
        ("I will come by on Monday.", "When did I say I would come?", "You said you would come"),
        ("I have run this shop for six years.", "For how many years have I run this shop?", "You have run this shop"),
        ("I can't eat eggs, I'm allergic to them.", "What am I allergic to?", "You are allergic to"),
        ("My brother brings four bags.", "How many bags does my brother bring?", "Your brother"),
        ("I am Marta.", "Do you still know what I am called?", "You are called"),
        ("我叫林涛，我的幸运数字是九。", "我的幸运数字是几？", "你的幸运数字是"),
        ("我养了一只鹦鹉，它叫可可。", "你还记得我的鹦鹉叫什么吗？", "你的鹦鹉叫"),
        ("我对鸡蛋过敏。", "我对什么过敏？", "你对"),
        ("我的编号是七一二。", "我给你的编号是多少？", "你给我的编号是"),
        ("私の猫の名前はモカです。", "私の猫の名前は何ですか？", "あなたの猫の名前は"),
    ],
)
def test_an_answer_about_the_user_begins_with_them(said: str, question: str, begun: str) -> None:
    language = "en" if said.isascii() else "ja" if "の名前は" in said else "zh"
    recall = recalled([*told("Hello.", said, "Nice weather."), Message("user", question)], language)
    assert recall is not None
    assert recall.begun == begun
    assert inverse_normalized(said, language).rstrip("。.") in recall.note


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What is your name?"),
        ("en", "My cat is called Minka."),
        ("en", "What should I see first?"),
        ("en", "What did my boss mean?"),
        ("en", "How do I cancel my contract?"),
        ("en", "Who am I talking to?"),
        ("en", "Is my cat ill?"),
        ("zh", "你叫什么名字？"),
        ("zh", "我应该从哪里开始？"),
        ("zh", "我的猫病了。"),
        ("zh", "我怎么退货？"),
    ],
)
def test_other_questions_begin_as_they_like(language: str, question: str) -> None:
    assert recalled([*told("I work in a bank."), Message("user", question)], language) is None


def test_what_was_not_told_is_not_begun_as_if_it_were() -> None:
    recall = recalled([*told("I work in a bank."), Message("user", "What is my favourite colour?")], "en")
    assert recall is not None
    assert recall.begun == "Your"
    assert "they have not told you" in recall.note


def test_a_language_without_words_is_left_alone() -> None:
    assert recalled([Message("user", "What is my name?")], "fr") is None


def test_what_was_put_right_is_told_with_it() -> None:
    messages = told("My customer number is nine one one.", "Sorry, I said it wrong. It is nine one TWO.", "Fine.")
    recall = recalled([*messages, Message("user", "What customer number did I give you?")], "en")
    assert recall is not None
    assert recall.settled
    assert recall.note.index("911") < recall.note.index("912")
