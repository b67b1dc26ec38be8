"""Questions that a yes answers."""

from __future__ import annotations

import json

import pytest

from vivavoce.tools.confirmations import Answer, Confirmations, answer_of, names_arguments, question_in_words
from vivavoce.types import Message, ToolCall

CALL = ToolCall("1", "request_refund", json.dumps({"order_id": "47112", "reason": "broken"}))
QUESTION = "Shall I refund order 4-7-1-1-2 now?"


@pytest.mark.parametrize(
    ("says", "answer"),
    [
        ("Yes.", "yes"),
        ("Yes, please do.", "yes"),
        ("Okay, go ahead", "yes"),
        ("好的，办吧。", "yes"),
        ("是的", "yes"),
        ("はい、お願いします。", "yes"),
        ("No.", "no"),
        ("Stop, don't.", "no"),
        ("不用了", "no"),
        ("先不要", "no"),
        ("いいえ", "no"),
        ("No, it is four 47132.", "neither"),
        ("Yes, but to the other account.", "neither"),
        ("可以吗？", "neither"),
        ("是不是要手续费？", "neither"),
        ("What does it cost?", "neither"),
        ("对不起，我没听清", "neither"),
        ("Hmm, my cat is hungry.", "neither"),
    ],
)
def test_answers(says: str, answer: Answer) -> None:
    assert answer_of(says, None) == answer


def test_the_classifier_knows_more_ways_to_say_it() -> None:
    assert answer_of("Sounds good to me.", {"yes": 0.95, "no": 0.02}) == "yes"
    assert answer_of("I would hate that.", {"yes": 0.05, "no": 0.95}) == "no"
    assert answer_of("Sounds good to me.", {"yes": 0.6, "no": 0.3}) == "neither"


def talk(*texts: str) -> list[Message]:
    return [Message("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]


def test_only_the_question_just_asked_is_answered() -> None:
    asked = Confirmations()
    asked.ask("me", QUESTION, CALL)
    assert asked.pending("me", talk("Refund 47112.", f"Sure. {QUESTION}", "Yes.")) == CALL
    assert asked.pending("me", talk("Refund 47112.", QUESTION, "Hm.", "Well?", "Yes.")) is None
    assert asked.pending("me", talk("Refund 47112.", "Shall I?", "Yes.")) is None
    assert asked.pending("me", talk("Refund 47112.", QUESTION)) is None
    assert asked.pending("you", talk("Refund 47112.", QUESTION, "Yes.")) is None


def test_a_question_may_be_interrupted_by_its_answer() -> None:
    asked = Confirmations()
    asked.ask("me", QUESTION, CALL)
    assert asked.pending("me", talk("Refund 47112.", "Shall I refund order", "Yes.")) == CALL
    assert asked.pending("me", talk("Refund 47112.", "Sh", "Yes.")) is None
    filled = "One moment, please. Shall I refund order"
    assert asked.pending("me", talk("Refund 47112.", filled, "No, 47132.")) == CALL
    assert asked.pending("me", talk("Refund 47112.", "One moment, please.", "Yes.")) is None


def test_a_yes_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Confirmations()
    monkeypatch.setattr("vivavoce.tools.confirmations.VALID_S", -1.0)
    asked.ask("me", QUESTION, CALL)
    assert asked.pending("me", talk("Refund 47112.", QUESTION, "Yes.")) is None


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.tools.confirmations.MAX_PENDING", 2)
    asked = Confirmations()
    for number in range(3):
        asked.ask("me", f"Shall I do number {number}?", CALL)
    assert asked.pending("me", talk("", "Shall I do number 0?", "Yes.")) is None
    assert asked.pending("me", talk("", "Shall I do number 2?", "Yes.")) == CALL


@pytest.mark.parametrize("language", ["en", "zh", "ja", "fr"])
def test_our_question_names_what_will_be_done(language: str) -> None:
    question = question_in_words(CALL, language)
    assert names_arguments(question, {"order_id": "47112"})
    assert "broken" in question


@pytest.mark.parametrize("question", ["Shall I refund it?", "I refund 47112.", "Shall I refund 47113?"])
def test_a_question_that_does_not_is_none(question: str) -> None:
    assert not names_arguments(question, {"order_id": "47112"})


@pytest.mark.parametrize(
    ("description", "language", "begins"),
    [
        ("Refund an order. The money is paid back.", "en", "Just to be sure: refund an order, "),
        ("给订单退款。", "zh", "确认一下：给订单退款，"),
        ("Refund an order.", "zh", "确认一下：request refund，"),
        ("", "en", "Just to be sure: request refund, "),
        (f"Refunds {'very ' * 20}much.", "en", "Just to be sure: request refund, "),
    ],
)
def test_the_question_is_in_the_users_language_where_the_function_is_described_in_it(
    description: str, language: str, begins: str
) -> None:
    assert question_in_words(CALL, language, description).startswith(begins)
