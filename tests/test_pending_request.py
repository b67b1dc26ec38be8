"""What a reply is asked to do, out of the messages before it."""

from __future__ import annotations

import pytest

from vivavoce.pending_request import stands_unanswered
from vivavoce.types import Message

REQUEST = "Please refund order 47112."


def said(*texts: str) -> list[Message]:
    """The user's words one behind the other; those that begin with ``>`` are the assistant's."""
    return [Message("assistant", text[1:]) if text.startswith(">") else Message("user", text) for text in texts]


@pytest.mark.parametrize(
    "then",
    ["No, it is 47132.", "Sorry, I meant the other one.", "And the lamp, too.", "不对，是47132。", "いや、47132です。"],
)
def test_what_nobody_has_answered_stands(then: str) -> None:
    assert stands_unanswered(said("Hello.", ">Hi!", REQUEST, then)) == REQUEST


@pytest.mark.parametrize(
    "then",
    [
        "Stop.",
        "Never mind, tell me a joke.",
        "Forget it.",
        "Stop, please tell me a joke instead.",
        "算了，不用了。",
        "やっぱりやめます。",
    ],
)
def test_what_is_taken_back_does_not(then: str) -> None:
    assert stands_unanswered(said(REQUEST, then)) == ""


def test_nor_what_was_answered() -> None:
    assert stands_unanswered(said(REQUEST, ">Shall I refund 47112?", "No, it is 47132.")) == ""
    assert stands_unanswered(said(REQUEST)) == ""
    assert stands_unanswered([]) == ""
