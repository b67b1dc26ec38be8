"""Calling tools with the real 1.5B model: every choice is kept, and arguments fit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tools.test_selection import HUNDRED, offering_with
from vivavoce.engines.base import EngineContext
from vivavoce.engines.e5 import load as load_embedder
from vivavoce.engines.llama.engine import LlamaModel
from vivavoce.engines.llama.tool_prompt import EXAMPLES
from vivavoce.session.default_prompt import opening, system_prompt
from vivavoce.session.prompt_builder import OVERRIDE
from vivavoce.tools.base import CallContext
from vivavoce.tools.catalog import Bounds
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
ORDER = Tool(
    "look_up_order",
    "Look up the state of an order by its number.",
    {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
)
OPTIONS = GenerationOptions(max_tokens=60, temperature=0.0, tools=(WEATHER, TIMER), slot=0)


@pytest.fixture
def model(large_model: LlamaModel) -> LlamaModel:
    return large_model


async def events_of(model: LlamaModel, said: str, options: GenerationOptions) -> list[GenerationEvent]:
    return await answers(model, (Message("user", said),), options)


async def answers(
    model: LlamaModel, history: Sequence[Message], options: GenerationOptions, head: Message = SYSTEM
) -> list[GenerationEvent]:
    return [event async for event in model.generate((head, *history), options)]


def words_in(events: list[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta)).strip()


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


def orders(text: str) -> Message:
    return Message("system", OVERRIDE.format(text))


@pytest.mark.parametrize(
    "history",
    [
        (orders("Look up order 4711 and tell the caller."),),
        pytest.param((orders("Call the tool look_up_order with order_id 4711."),), marks=pytest.mark.slow),
        (Message("user", "Hi."), Message("assistant", "Hello."), orders("查询订单4711的状态，告诉来电者。")),
        pytest.param(
            (Message("system", opening("You work at a shop. Look up order 4711 and tell the caller its state.")),),
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_instructions_of_a_response_have_a_tool_called(model: LlamaModel, history: Sequence[Message]) -> None:
    """With no turn of the user, or one that was answered: only what the user said was looked at, and nothing was called."""
    options = replace(OPTIONS, tools=(ORDER, *OPTIONS.tools))
    assert calls_in(await answers(model, history, options)) == [("look_up_order", {"order_id": "4711"})]


async def test_a_yes_calls_what_was_offered(model: LlamaModel) -> None:
    offer = (Message("user", "I am making pasta."), Message("assistant", "Shall I set a timer for ten minutes?"))
    yes, no = Message("user", "Yes, please."), Message("user", "No, thanks.")
    assert calls_in(await answers(model, (*offer, yes), OPTIONS)) == [("set_timer", {"minutes": 10})]
    assert not calls_in(await answers(model, (*offer, no), OPTIONS))


async def test_instructions_of_a_response_rule_it(model: LlamaModel) -> None:
    said = Message("user", "How are you?")
    exactly = orders("Say exactly: Welcome to the hill museum.")
    assert words_in(await answers(model, (exactly,), OPTIONS)).strip('"') == "Welcome to the hill museum."
    french = words_in(await answers(model, (said, orders("Answer in French only.")), replace(OPTIONS, tools=())))
    assert any(word in french.casefold() for word in ("je ", "bien", "merci", "vous"))


OUTPUT = Message("tool", '{"state": "shipped"}', (), "call_1")


@pytest.mark.parametrize(
    "history",
    [
        (),
        pytest.param((Message("assistant", "Hello, this is the museum."),), marks=pytest.mark.slow),
        pytest.param((Message("system", "The caller is a member."),), marks=pytest.mark.slow),
        (OUTPUT,),
        (orders("Greet the caller."),),
        (Message("system", opening("")),),
        pytest.param((Message("user", "..."),), marks=pytest.mark.slow),
        (Message("user", "Please repeat what we said before."),),
    ],
)
async def test_nothing_of_the_examples_is_an_answer(model: LlamaModel, history: Sequence[Message]) -> None:
    """ "The door is now painted blue." was answered where nobody had spoken of a door."""
    await says_nothing_of_examples(model, SYSTEM, history)


@pytest.mark.slow
@pytest.mark.parametrize(
    "last",
    [
        Message("user", "What did I ask you before?"),
        Message("user", "Please repeat your last answer."),
        orders("Greet the caller."),
    ],
)
async def test_nothing_of_the_persona_is_an_answer(model: LlamaModel, last: Message) -> None:
    """ "You asked how to make tea.", of which an example of the default persona had told."""
    await says_nothing_of_examples(model, Message("system", system_prompt()), (last,))


async def says_nothing_of_examples(model: LlamaModel, head: Message, history: Sequence[Message]) -> None:
    nouns = {"door", "garage", "aunt", "car", "attic", "zoo", "ticket", "legs", "spider", "garden", "house", "stuffy"}
    assert nouns <= set(re.findall(r"[a-z]+", " ".join(said for said, _ in EXAMPLES).lower()))
    nouns |= {"tea", "hill", "rain", "story"}
    events = await answers(model, history, replace(OPTIONS, max_tokens=40), head)
    assert not nouns & set(re.findall(r"[a-z]+", words_in(events).lower()))
    assert calls_in(events) == []


@pytest.mark.slow
async def test_the_right_one_of_a_hundred_tools_is_called(model: LlamaModel, weights: Callable[[str], Path]) -> None:
    """They were accepted, and then each reply failed, because the prompt was longer than the context."""
    embedder = load_embedder(EngineContext(weights=weights, threads=2, capacity=1))
    offering = offering_with(embedder)
    options = replace(OPTIONS, tools=HUNDRED)
    for text, name in (
        ("Please open the blind in the office.", "office_blind"),
        ("打开车库的摄像头。", "garage_camera"),
    ):
        messages = (SYSTEM, Message("user", text))
        chosen, _ = await offering.for_reply(
            messages, options, (), CallContext("me"), bounds=Bounds(max_tool_tokens=682)
        )
        [(called, _)] = calls_in([event async for event in model.generate(messages, chosen)])
        assert called.endswith(name)
    embedder.close()
