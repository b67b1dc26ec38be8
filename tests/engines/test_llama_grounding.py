"""Whether a value can have been said."""

from __future__ import annotations

import pytest

from vivavoce.engines.llama.argument_check import GroundingCheck
from vivavoce.types import Message, ToolCall


def holds(said: str, value: object, instructions: str = "") -> bool:
    return GroundingCheck([Message("system", instructions), Message("user", said)]).holds(value)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Wake me in twenty-five minutes.", 25),
        ("In half an hour.", 30),
        ("Wait a minute.", 1),
        ("一刻钟以后叫我。", 15),
        ("at 7 pm", "19:00"),
        ("What about Paris?", "Paris"),
        ("巴黎几点了", "Paris"),
        ("北京冷吗", "北京市"),
        ("The kitchen lights, please.", "kitchen light"),
        ("Boil an egg for two minutes.", "eggs"),
        ("Tell Bob the meeting moved.", "Hi Bob, we meet later than planned"),
        ("Turn it on.", True),
        ("Remind me next Monday.", "2026-12-07"),
        ("A table for tomorrow, please.", "2026-12-01"),
        ("明天叫我。", "2026-12-01"),
        ("In the evening.", "19:00"),
        ("It is for Miller.", "Müller"),
    ],
)
def test_what_was_said(said: str, value: object) -> None:
    assert holds(said, value)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Set a timer.", 30),
        ("I had a really long day at work.", 60),
        ("I like rainy weather.", 20.5),
        ("定个闹钟。", "10"),
        ("Send a message.", "friend"),
        ("What's the weather like?", "London"),
        ("关灯", "客厅"),
        ("A table for two, please.", "Boston"),
        ("Remind me.", "2026-12-07"),
        ("Wake me.", "07:00"),
    ],
)
def test_what_nobody_said(said: str, value: object) -> None:
    assert not holds(said, value)


def test_where_else_a_value_may_come_from() -> None:
    assert holds("What's the weather like?", "Berlin", "The user lives in Berlin.")
    assert holds("The usual temperature.", 21, "The usual temperature is 21 degrees.")
    found = [
        Message("assistant", "", (ToolCall("c", "find", '{"room": "Turing"}'),)),
        Message("tool", "Room Turing has 12 seats.", tool_call_id="c"),
        Message("user", "Book it."),
    ]
    assert GroundingCheck(found).holds("Turing")
    assert GroundingCheck(found).holds(12)


def test_what_instructions_in_the_conversation_name_is_said() -> None:
    """They stand in the user's place: "Set a timer for ten minutes." was taken for a timer nobody had named a time for."""
    said = [
        Message("system", "Be brief."),
        Message("user", "Thanks."),
        Message("system", "Set a timer for ten minutes."),
    ]
    assert GroundingCheck(said).holds(10)
    assert not GroundingCheck(said[:-1]).holds(10)
    assert GroundingCheck([*said[:2], Message("system", "Tell the weather in Paris.")]).spelling("paris") == "Paris"
