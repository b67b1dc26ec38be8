"""Blanks where a value should be: what nobody said is not called with."""

from __future__ import annotations

import json

import pytest

from vivavoce.engines.llama.tool_reply import ToolReply, without_blanks
from vivavoce.types import GenerationOptions, Message, TextDelta, Tool, ToolCall

WEATHER = Tool(
    "get_weather",
    "Weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
        "required": ["city"],
    },
)


def reply_to(written: str, **options: object) -> tuple[ToolReply, list[TextDelta | ToolCall]]:
    asked = GenerationOptions(tools=(WEATHER,), **options)  # type: ignore[arg-type]
    reply = ToolReply((Message("user", "I had a long day."),), asked)
    return reply, [*reply.feed(written), *reply.finish()]


def call(**arguments: object) -> str:
    return f'<tool_call>{{"name": "get_weather", "arguments": {json.dumps(arguments)}}}</tool_call>'


@pytest.mark.parametrize("blank", ["your_city", "<city>", "[location]", "unknown", "...", "Your City", "string"])
def test_a_call_with_a_blank_it_needs_is_asked_for_again_in_words(blank: str) -> None:
    reply, events = reply_to(call(city=blank))
    assert events == []
    assert reply.again == "none"


@pytest.mark.parametrize("city", ["Paris", "New York", "上海", "Mytown", "None-le-Vieux"])
def test_a_name_is_no_blank(city: str) -> None:
    reply, events = reply_to(call(city=city))
    assert [json.loads(event.arguments) for event in events if isinstance(event, ToolCall)] == [{"city": city}]
    assert reply.again is None


def test_an_optional_blank_is_left_out() -> None:
    _, events = reply_to(call(city="Paris", unit="unknown"))
    assert [json.loads(event.arguments) for event in events if isinstance(event, ToolCall)] == [{"city": "Paris"}]


def test_who_insists_on_a_call_gets_it() -> None:
    reply, events = reply_to(call(city="your_city"), tool_choice="required")
    assert len(events) == 1
    assert reply.again is None


def test_arguments_that_are_no_object_are_left_to_the_schema() -> None:
    assert without_blanks(ToolCall("c", "f", "[1]"), ("x",)) == (ToolCall("c", "f", "[1]"), False)
