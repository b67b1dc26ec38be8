"""Which calls leave, when, and with what: blanks where a value should be are nobody's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.llama.call_stream import Argument, CallStream, Closed, Opened
from vivavoce.engines.llama.tool_reply import ToolReply
from vivavoce.types import GenerationOptions, Message, TextDelta, Tool, ToolCall, ToolCallDelta

Event: TypeAlias = TextDelta | ToolCallDelta | ToolCall

WEATHER = Tool(
    "get_weather",
    "Weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
        "required": ["city"],
    },
)

LAMP = Tool("lamp", "Switches the lamp.", {"type": "object"})


def reply_to(written: str, **options: object) -> tuple[ToolReply, list[Event]]:
    asked = GenerationOptions(tools=(WEATHER, LAMP), **options)  # type: ignore[arg-type]
    reply = ToolReply((Message("user", "Paris, Rome, New York or Mytown? It is hot, in C."),), asked)
    events: list[Event] = []
    for char in written:
        events += reply.feed(char)
        if reply.over:
            return reply, events
    return reply, [*events, *reply.finish()]


def tagged(**arguments: object) -> str:
    return f'<tool_call>{{"name": "get_weather", "arguments": {json.dumps(arguments)}}}</tool_call>'


def bare(**arguments: object) -> str:
    return f'{{"name": "get_weather", "arguments": {json.dumps(arguments)}}}'


def calls_of(events: list[Event]) -> list[dict[str, object]]:
    return [json.loads(event.arguments) for event in events if isinstance(event, ToolCall)]


@pytest.mark.parametrize("call", [tagged, bare])
@pytest.mark.parametrize("blank", ["your_city", "<city>", "[location]", "unknown", "...", "Your City", "string"])
def test_a_call_with_a_blank_it_needs_is_asked_for_again_in_words(call: Callable[..., str], blank: str) -> None:
    reply, events = reply_to(call(city=blank))
    assert events == []
    assert reply.again == "none"


@pytest.mark.parametrize("call", [tagged, bare])
@pytest.mark.parametrize("city", ["Paris", "New York", "上海", "Mytown", "None-le-Vieux", 'say "{hi}, you" \\'])
def test_a_name_is_no_blank(call: Callable[..., str], city: str) -> None:
    reply, events = reply_to(call(city=city))
    assert calls_of(events) == [{"city": city}]
    assert reply.again is None


@pytest.mark.parametrize("call", [tagged, bare])
def test_an_optional_blank_is_left_out(call: Callable[..., str]) -> None:
    _, events = reply_to(call(city="Paris", unit="unknown"))
    assert calls_of(events) == [{"city": "Paris"}]


@pytest.mark.parametrize("call", [tagged, bare])
def test_who_insists_on_a_call_gets_it(call: Callable[..., str]) -> None:
    reply, events = reply_to(call(city="your_city"), tool_choice="required")
    assert calls_of(events) == [{"city": "your_city"}]
    assert reply.again is None


def test_arguments_leave_one_by_one_and_join_to_the_whole() -> None:
    _, events = reply_to(bare(city="Paris", unit="C", days=[1, {"and": "more, of it"}]))
    deltas = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [delta.arguments for delta in deltas] == [
        '{"city": "Paris"', ', "unit": "C"', ', "days": [1, {"and": "more, of it"}]', "}"
    ]  # fmt: skip
    [whole] = [event for event in events if isinstance(event, ToolCall)]
    assert "".join(delta.arguments for delta in deltas) == whole.arguments
    assert {delta.id for delta in deltas} == {whole.id}


def test_a_call_without_arguments() -> None:
    _, events = reply_to('{"name": "lamp", "arguments": {}}')
    assert calls_of(events) == [{}]


def test_several_calls_and_the_same_one_again() -> None:
    lamp = '{"name": "lamp", "arguments": {}}'
    reply, events = reply_to("\n".join([bare(city="Paris"), lamp, bare(city="Rome"), lamp, lamp]))
    assert calls_of(events) == [{"city": "Paris"}, {}, {"city": "Rome"}]
    assert reply.over
    assert reply.again is None


def test_one_call_where_only_one_is_wanted() -> None:
    _, events = reply_to(bare(city="Paris") + "\n" + bare(city="Rome"), parallel_tool_calls=False)
    assert calls_of(events) == [{"city": "Paris"}]


def test_words_that_begin_with_a_brace_are_words() -> None:
    _, events = reply_to('{"note": "no call"}')
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == '{"note": "no call"}'


@given(
    arguments=st.dictionaries(st.text(min_size=1), st.recursive(
        st.integers() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ), max_size=4),
    data=st.data(),
)  # fmt: skip
def test_wherever_the_text_is_cut_the_same_arguments_come_out(
    arguments: dict[str, object], data: st.DataObject
) -> None:
    text = f'{{"name": "lamp", "arguments": {json.dumps(arguments, ensure_ascii=False)}}}'
    cut = data.draw(st.integers(0, len(text)))
    stream = CallStream()
    parts = [*stream.feed(text[:cut]), *stream.feed(text[cut:])]
    assert parts[0] == Opened("lamp")
    assert parts[-1] == Closed()
    assert {part.name: part.value for part in parts if isinstance(part, Argument)} == arguments


@pytest.mark.parametrize("name", ["Anna", "get_weather", "lamp"])
def test_an_answer_in_json_is_no_call(name: str) -> None:
    written = json.dumps({"name": name, "age": 34})
    reply, events = reply_to(written, schema={"type": "object"})
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == written
    assert not reply.called


def test_a_call_may_take_the_place_of_an_answer_in_json() -> None:
    reply, events = reply_to('{"name": "lamp", "arguments": {}}', schema={"type": "object"})
    assert [event.name for event in events if isinstance(event, ToolCall)] == ["lamp"]
    assert reply.called
