"""Requests that were interrupted before anything answered them."""

from __future__ import annotations

import pytest

from vivavoce.tools.interrupted import interrupted_request
from vivavoce.types import Message, ToolCall

ASKED = Message("user", "Where is order four seven one one two?")


def talk(*answers: Message, then: str = "No, four seven one three two.") -> list[Message]:
    return [Message("system", "Be brief."), ASKED, *answers, Message("user", then)]


def test_no_words_at_all_answer_nothing() -> None:
    assert interrupted_request(talk())
    assert interrupted_request(talk(Message("system", "The user sounds calm.", hint=True)))


@pytest.mark.parametrize("answer", ["It is in Graz.", "Which order?"])
def test_an_answer_ends_the_request(answer: str) -> None:
    assert not interrupted_request(talk(Message("assistant", answer)))


def test_a_call_ends_it() -> None:
    call = ToolCall("call_1", "find_order", "{}")
    found = (Message("assistant", "", (call,)), Message("tool", "{}", (), "call_1"))
    assert not interrupted_request(talk(*found))


@pytest.mark.parametrize("then", ["No, forget it.", "Stop.", "Wait, don't.", "算了。", "不用了。"])
def test_what_is_taken_back_is_no_request(then: str) -> None:
    assert not interrupted_request(talk(then=then))


@pytest.mark.parametrize(
    "then", ["No, not Alvik, I said Arvika.", "And order 51220, too.", "不是，我说的是临安。", "Please."]
)
def test_what_goes_on_or_puts_right_belongs_to_it(then: str) -> None:
    assert interrupted_request(talk(then=then))


def test_the_first_words_interrupt_nothing() -> None:
    assert not interrupted_request([ASKED])
    assert not interrupted_request([])
    assert not interrupted_request([*talk(), Message("assistant", "It is in Graz.")])
