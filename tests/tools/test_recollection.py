"""What is told again of a conversation where the user asks for it."""

from __future__ import annotations

import json

import pytest

from vivavoce.tools.recollection import recollection
from vivavoce.types import Message, ToolCall


def looked_up(number: int, name: str, result: dict[str, object], **arguments: str) -> list[Message]:
    call = ToolCall(f"call_{number}", name, json.dumps(arguments, ensure_ascii=False))
    return [Message("assistant", "", (call,)), Message("tool", json.dumps(result, ensure_ascii=False), (), call.id)]


CONVERSATION = [
    Message("system", "You answer the telephone of a garage."),
    Message("user", "When is my car ready? The plate is KX four four one two."),
    *looked_up(1, "find_repair", {"car": "Saab", "ready": "Thursday", "at": "16:40"}, plate="KX4412"),
    Message("assistant", "On Thursday at 16:40."),
    Message("user", "Book the winter tyres for Monday, please."),
    *looked_up(2, "book_tyres", {"booked": True, "day": "Monday", "time": "8:15", "code": "R9"}, day="Monday"),
    Message("assistant", "That is booked."),
    Message("user", "Do you wash cars, too?"),
    Message("assistant", "Yes."),
]


@pytest.mark.parametrize(
    ("question", "told", "untold"),
    [
        ("At what time was that with the tyres?", "8:15", "16:40"),
        ("When was the repair ready again?", "16:40", "8:15"),
        ("What plate did I give you?", "KX4412", "R9"),
        ("And what was the code?", "R9", "16:40"),
    ],
)
def test_what_shares_words_with_the_question_is_told_again(question: str, told: str, untold: str) -> None:
    found = recollection([*CONVERSATION, Message("user", question)], "en")
    assert found.matches
    assert told in found.note
    assert untold not in found.note


def test_where_nothing_shares_words_the_last_result_is_told() -> None:
    found = recollection([*CONVERSATION, Message("user", "Sorry, come again?")], "en")
    note = found.note
    assert not found.matches
    assert "8:15" in note
    assert "16:40" not in note
    assert "wash" not in note, "questions tell nothing"


def test_in_chinese() -> None:
    messages = [
        Message("user", "帮我订周五的靠窗位子。"),
        *looked_up(1, "book_table", {"已订": True, "时间": "19:10"}, 日期="周五"),
        Message("assistant", "订好了。"),
        Message("user", "靠窗那个是几点来着？"),
    ]
    note = recollection(messages, "zh").note
    assert "19:10" in note
    assert note.startswith("用户问的是")


def test_at_the_beginning_there_is_nothing_to_tell() -> None:
    assert not recollection([Message("user", "What was the code again?")], "en").note
    assert not recollection([], "en").note
