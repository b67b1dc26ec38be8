"""Whether the assistant is asked what it is, and by what name it answers."""

from __future__ import annotations

import pytest

from vivavoce.conduct.comfort import tells_of_hurt
from vivavoce.conduct.identity import asks_how_it_is, asks_name, asks_what_it_is, begun_name, begun_truth


@pytest.mark.parametrize(
    "question",
    [
        "Are you a robot?",
        "Are you really a human being?",
        "Hang on, am I talking to a machine?",
        "Is this a real person?",
        "You're a bot, aren't you?",
        "You sound like a computer. Are you one?",
        "Are you an AI or a person?",
        "Are you real?",
        "What are you exactly?",
        "你是机器人吗？",
        "你到底是不是真人？",
        "跟我说话的是真人还是机器？",
        "我是不是在跟机器人说话？",
        "你是人吗？",
        "あなたは人間ですか？",
        "ロボットですか？",
    ],
)
def test_asked_what_it_is(question: str) -> None:
    assert asks_what_it_is(question)


@pytest.mark.parametrize(
    "question",
    [
        "Are you open on Sundays?",
        "Are you a good listener?",
        "Are you sure?",
        "Is there a machine that washes wool?",
        "Is there a computer?",
        "Is it a person?",
        "Do you sell robots?",
        "Is this person on the list?",
        "Are you the person in charge of the garden?",
        "你是哪里人？",
        "你是医生吗？",
        "机器人多少钱？",
        "あなたは何が好きですか？",
    ],
)
def test_asked_something_else(question: str) -> None:
    assert not asks_what_it_is(question)


@pytest.mark.parametrize(
    ("instructions", "language", "begun"),
    [
        (
            "You are Vivavoce, a voice assistant.\nYou are Ines, who sells tea.",
            "en",
            "I'm Ines, an AI assistant, not a human being.",
        ),
        ("Your name is Ines Brandt. You sell tea.", "en", "I'm Ines Brandt, an AI assistant, not a human being."),
        ("You are a tea seller.", "en", "I'm an AI assistant, not a human being."),
        ("你是小茶，卖茶叶。", "zh", "我是小茶，一个AI助手，不是真人。"),
        ("你是一个友好的助手。", "zh", "我是一个AI助手，不是真人。"),
        ("あなたはミカという店員です。", "ja", "ミカというAIアシスタントで、人間ではありません。"),
        ("You are Ines.", "fr", ""),
    ],
)
def test_the_truth_by_its_name(instructions: str, language: str, begun: str) -> None:
    assert begun_truth(instructions, language) == begun


def test_its_name() -> None:
    assert asks_name("And what's your name?")
    assert asks_name("你叫什么？")
    assert not asks_name("What is my name?")
    assert not asks_name("Who's there?")
    assert not asks_name("我叫什么？")
    assert begun_name("You are Ines, who sells tea.", "en") == "I'm Ines"
    assert begun_name("You sell tea.", "en") == ""


@pytest.mark.parametrize(
    "said", ["My bike was stolen today.", "I can't sleep.", "I feel so lonely.", "我失眠了。", "昨天我的猫去世了。"]
)
def test_what_hurts(said: str) -> None:
    assert tells_of_hurt(said)


@pytest.mark.parametrize(
    "said",
    ["I can't sleep. What can I do?", "I like sad songs.", "The cinema is closed.", "我睡不着怎么办？", "我很高兴。"],
)
def test_what_does_not_hurt_or_asks(said: str) -> None:
    assert not tells_of_hurt(said)


@pytest.mark.parametrize(
    "text",
    [
        "How are you today?",
        "Hi, how's it going?",
        "And how are you doing?",
        "How have you been?",
        "你好吗？",
        "您最近怎么样？",
        "お元気ですか？",
    ],
)
def test_who_asks_how_it_is(text: str) -> None:
    assert asks_how_it_is(text)


@pytest.mark.parametrize(
    "text",
    [
        "How are you open on Sundays?",
        "How are your prices?",
        "How is it going to be paid?",
        "How are you going to send it?",
        "How do you do that?",
        "你们的服务怎么样？",
        "你觉得这个怎么样？",
        "我最近怎么样？",
    ],
)
def test_who_asks_something_else(text: str) -> None:
    assert not asks_how_it_is(text)
