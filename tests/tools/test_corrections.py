"""What the user puts right of a call that was just made, or asked about."""

from __future__ import annotations

import json

import pytest

from vivavoce.tools.corrections import Correction, correction_of
from vivavoce.types import Message, ToolCall

ASKED = ToolCall("call_0", "cancel_order", '{"order_id": "61905"}')


def told(name: str, arguments: dict[str, object], said: str, *, answer: str = "It is on its way.") -> list[Message]:
    call = ToolCall("call_1", name, json.dumps(arguments))
    return [
        Message("system", "You answer the telephone."),
        Message("user", "Where is it?"),
        Message("assistant", "", (call,)),
        Message("tool", "{}", tool_call_id="call_1"),
        Message("assistant", answer),
        Message("user", said),
    ]


def arguments_of(correction: Correction | None) -> object:
    return None if correction is None or correction.call is None else json.loads(correction.call.arguments)


@pytest.mark.parametrize(
    ("arguments", "said", "expected"),
    [
        ({"order_id": "47112"}, "No, four seven one THREE two.", {"order_id": "47132"}),
        ({"order_id": "47112"}, "Sorry, I said it wrong. It is 47132, not 47112.", {"order_id": "47132"}),
        ({"patient": "P3081"}, "I meant P three oh eight seven.", {"patient": "P3087"}),
        ({"patient": "P-3081"}, "Oh, wrong number. It's 3087.", {"patient": "P-3087"}),
        ({"room": 512}, "Actually, it is room 521.", {"room": 521}),
        ({"flight": "LH 4410", "day": "Monday"}, "no it's four four one four", {"flight": "LH 4414", "day": "Monday"}),
        ({"contract": "HK0523"}, "不对，是HK零五三二。", {"contract": "HK0532"}),
        ({"order": "47112"}, "不好意思，我说错了，是四七一三二。", {"order": "47132"}),
        ({"order": "47112"}, "不，四七一三二。", {"order": "47132"}),
        ({"order": "47112"}, "I'm sorry, it's 47132.", {"order": "47132"}),
        ({"order": "47112"}, "すみません、間違えました。47132です。", {"order": "47132"}),
    ],
)
def test_a_number_takes_the_place_of_the_one_before(
    arguments: dict[str, object], said: str, expected: dict[str, object]
) -> None:
    correction = correction_of(told("find_it", arguments, said))
    assert correction is not None
    assert correction.name == "find_it"
    assert arguments_of(correction) == expected


@pytest.mark.parametrize(
    "said",
    [
        "No, not Alvik. I said ARVIKA.",
        "I meant Lund.",
        "Not Paris but Rome, please.",
        "Rome, not Paris.",
        "不是淮安，我说的是临安。",
        "说错了，是周四。",
        "大阪ではなく京都です。",
        "是临安，不是淮安。",
        "Actually, make it Lund.",
    ],
)
def test_another_name_is_for_the_model_to_write(said: str) -> None:
    correction = correction_of(told("find_charger", {"place": "Alvik"}, said))
    assert correction == Correction("find_charger")


@pytest.mark.parametrize(
    "said",
    [
        "No, thank you.",
        "Okay, thanks.",
        "I am a bit nervous about it, to be honest.",
        "And order 51220?",
        "Is it not 47132?",
        "Sorry, can you say that again?",
        "No, that's all.",
        "No, not now.",
        "No, do not.",
        "No, don't do it, I have changed my mind.",
        "No, not yet, thanks.",
        "I'm not sure.",
        "No, I said no!",
        "I said that already.",
        "不用了，谢谢。",
        "不好意思，再说一遍。",
        "是吗，那太好了。",
    ],
)
def test_what_puts_nothing_right_is_left_alone(said: str) -> None:
    assert correction_of(told("find_order", {"order": "47112"}, said)) is None


def test_what_was_called_for_an_earlier_turn_is_not_put_right() -> None:
    messages = [*told("find_order", {"order": "47112"}, "Thanks."), Message("assistant", "You're welcome.")]
    assert correction_of([*messages, Message("user", "Sorry, I meant 47132.")]) is None


def test_a_call_that_waits_for_a_yes_is_put_right() -> None:
    messages = [Message("user", "Cancel it."), Message("assistant", "Shall I cancel order 61905?")]
    correction = correction_of([*messages, Message("user", "No, six one nine five oh.")], ASKED)
    assert arguments_of(correction) == {"order_id": "61950"}


def test_the_number_of_the_same_length_is_meant() -> None:
    said = "That's wrong, it ends in one three two, so four seven one three two."
    assert arguments_of(correction_of(told("find_order", {"order": "47112"}, said))) == {"order": "47132"}


def test_of_two_numbers_none_is_chosen() -> None:
    correction = correction_of(told("find_order", {"order": "47112"}, "No, 47132 or 47133."))
    assert arguments_of(correction) is None
    both = correction_of(told("move", {"from": "47112", "to": "5520"}, "No, I meant 5521."))
    assert both == Correction("move")
