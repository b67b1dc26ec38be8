"""Calling tools with the real 1.5B model: every choice is kept, and arguments fit."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from vivavoce.engines.llama.engine import LlamaModel
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    NamedTool,
    TextDelta,
    Tool,
    ToolCall,
)

pytestmark = pytest.mark.real

SYSTEM = Message("system", "You are a voice assistant.")
WEATHER = Tool(
    "get_weather",
    "Current weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/place"}},
        "required": ["city"],
        "$defs": {"place": {"type": "string"}},
    },
)
TIMER = Tool(
    "set_timer",
    "Start a timer.",
    {
        "type": "object",
        "properties": {"minutes": {"type": "integer", "minimum": 1, "maximum": 90}},
        "required": ["minutes"],
    },
)
OPTIONS = GenerationOptions(max_tokens=60, temperature=0.0, tools=(WEATHER, TIMER), slot=0)


@pytest.fixture
def model(large_model: LlamaModel) -> LlamaModel:
    return large_model


async def events_of(model: LlamaModel, said: str, options: GenerationOptions) -> list[GenerationEvent]:
    return [event async for event in model.generate((SYSTEM, Message("user", said)), options)]


def calls_in(events: list[GenerationEvent]) -> list[tuple[str, object]]:
    return [(event.name, json.loads(event.arguments)) for event in events if isinstance(event, ToolCall)]


async def test_a_request_becomes_a_call(model: LlamaModel) -> None:
    events = await events_of(model, "Set a timer for five minutes.", OPTIONS)
    assert calls_in(events) == [("set_timer", {"minutes": 5})]
    assert not any(isinstance(event, TextDelta) for event in events)
    assert isinstance(events[-1], GenerationEnd)
    assert events[-1].reason == "tool_calls"


async def test_small_talk_calls_nothing(model: LlamaModel) -> None:
    events = await events_of(model, "Thank you very much.", OPTIONS)
    assert calls_in(events) == []
    assert any(isinstance(event, TextDelta) for event in events)


async def test_none_calls_nothing(model: LlamaModel) -> None:
    events = await events_of(model, "Set a timer for five minutes.", replace(OPTIONS, tool_choice="none"))
    assert calls_in(events) == []


async def test_a_named_tool_is_called_whatever_is_said(model: LlamaModel) -> None:
    options = replace(OPTIONS, tool_choice=NamedTool("set_timer"), temperature=1.0, seed=1)
    ((name, arguments),) = calls_in(await events_of(model, "What's the weather in Paris?", options))
    assert name == "set_timer"
    assert isinstance(arguments, dict)
    assert arguments.keys() == {"minutes"}
    assert 1 <= arguments["minutes"] <= 90


async def test_required_makes_a_call_of_small_talk(model: LlamaModel) -> None:
    options = replace(OPTIONS, tool_choice="required", parallel_tool_calls=False)
    assert len(calls_in(await events_of(model, "Hello!", options))) == 1


async def test_a_result_is_answered_in_words(model: LlamaModel) -> None:
    call = ToolCall("call_1", "get_weather", '{"city": "Paris"}')
    history = (
        SYSTEM,
        Message("user", "What's the weather in Paris?"),
        Message("assistant", "", (call,)),
        Message("tool", '{"sky": "sunny", "celsius": 21}', (), "call_1"),
    )
    events = [event async for event in model.generate(history, OPTIONS)]
    assert calls_in(events) == []
    assert "sun" in "".join(event.text for event in events if isinstance(event, TextDelta)).lower()


async def test_a_schema_no_grammar_can_follow_leaves_the_other_tools_held(model: LlamaModel) -> None:
    """llama.cpp says nothing of a grammar it refuses; it goes on without one."""
    odd = Tool("odd", "Nothing.", {"type": "object", "properties": {"x": {"type": "string", "pattern": "(?=a)a"}}})
    days = {"type": "array", "items": {"enum": ["monday", "tuesday", "sunday"]}, "uniqueItems": True, "minItems": 1}
    alarm = Tool("set_alarm", "Set an alarm on days.", {"type": "object", "properties": {"days": days}})
    alarm = replace(alarm, parameters={**alarm.parameters, "required": ["days"]})
    options = replace(OPTIONS, tools=(alarm, odd, *OPTIONS.tools), tool_choice=NamedTool("set_alarm"))
    events = await events_of(model, "An alarm on Sunday, please.", options)
    assert calls_in(events) == [("set_alarm", {"days": ["sunday"]})]
    named = replace(options, tool_choice=NamedTool("odd"))
    [(name, arguments)] = calls_in(await events_of(model, "Do the odd thing with banana.", named))
    assert (name, set(arguments) <= {"x"}) == ("odd", True)  # type: ignore[call-overload]


async def test_a_tool_that_is_called_like_talk(model: LlamaModel) -> None:
    agent = Tool("talk_to_agent", "Put the person through to a human agent.", {"type": "object", "properties": {}})
    options = replace(OPTIONS, tools=(agent, *OPTIONS.tools))
    assert calls_in(await events_of(model, "Put me through to a human agent, please.", options)) == [
        ("talk_to_agent", {})
    ]
    assert not calls_in(await events_of(model, "Hello.", options))
