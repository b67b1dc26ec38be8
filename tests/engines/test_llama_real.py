"""The llama engine with the real 0.5B model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from vivavoce.engines.base import EngineContext
from vivavoce.engines.llama import load
from vivavoce.engines.llama.engine import LlamaModel
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, TextDelta, Tool, ToolCall

pytestmark = pytest.mark.real

SYSTEM = Message("system", "You answer in one short sentence.")
GREEDY = GenerationOptions(max_tokens=24, temperature=0.0)
WEATHER = Tool(
    "get_weather",
    "Current weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def _listening() -> set[int]:
    return {
        connection.laddr.port
        for connection in psutil.Process().net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


@pytest.fixture(scope="module")
def ports_opened() -> set[int]:
    return set()


@pytest.fixture(scope="module")
def model(weights: Callable[[str], Path], ports_opened: set[int]) -> Iterator[LlamaModel]:
    before = _listening()
    settings = {"weights": "qwen2.5-coder-0.5b", "context_tokens": 1024, "batch_tokens": 32, "talk": 0.5}
    loaded = load(EngineContext(weights=weights, threads=2, capacity=2, settings=settings))
    ports_opened |= _listening() - before
    yield loaded
    loaded.close()


async def reply(events: AsyncIterator[GenerationEvent]) -> tuple[str, GenerationEnd]:
    text, end = "", None
    async for event in events:
        assert end is None
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, GenerationEnd):
            end = event
    assert end is not None
    return text, end


def ask(question: str) -> tuple[Message, Message]:
    return SYSTEM, Message("user", question)


def test_no_port_is_opened(model: LlamaModel, ports_opened: set[int]) -> None:
    assert model.capacity == 2
    assert ports_opened == set()


async def test_it_answers_and_counts(model: LlamaModel) -> None:
    text, end = await reply(model.generate(ask("What is the capital of France?"), GREEDY))
    assert "Paris" in text
    assert end.reason == "stop"
    assert end.input_tokens == await model.count_tokens(ask("What is the capital of France?"), GenerationOptions())
    assert 0 < end.output_tokens <= GREEDY.max_tokens


async def test_a_prefill_makes_the_prompt_free(model: LlamaModel) -> None:
    question = ask("Which city is the capital of Spain, please?")
    prefill = [event async for event in model.generate(question, GenerationOptions(max_tokens=0, slot=1))]
    assert [type(event) for event in prefill] == [GenerationEnd]
    _, end = await reply(model.generate(question, replace(GREEDY, slot=1)))
    assert end.cached_tokens == end.input_tokens - 1


async def test_a_reply_that_has_begun_is_gone_on_with(model: LlamaModel) -> None:
    question = (*ask("Count from one to five in words."), Message("assistant", "One, two, three,"))
    text, end = await reply(model.generate(question, replace(GREEDY, continue_last_message=True, slot=0)))
    assert text.lstrip().lower().startswith("four")
    _, whole = await reply(model.generate(question[:2], replace(GREEDY, slot=0)))
    assert end.input_tokens > whole.input_tokens, "what has begun belongs to the prompt"


async def test_a_prompt_may_end_in_words_of_the_assistants(model: LlamaModel) -> None:
    said = Message("assistant", "It is Paris.")
    messages = (*ask("What is the capital of France?"), said)
    assert await model.count_tokens(messages, GenerationOptions()) > await model.count_tokens(
        messages[:2], GenerationOptions()
    )
    text, _ = await reply(model.generate(messages, GREEDY))
    assert text != ""


async def test_two_conversations_at_once_do_not_mix(model: LlamaModel) -> None:
    france, japan = await asyncio.gather(
        reply(model.generate(ask("What is the capital of France?"), replace(GREEDY, slot=0))),
        reply(model.generate(ask("What is the capital of Japan?"), replace(GREEDY, slot=1))),
    )
    assert ("Paris" in france[0], "Tokyo" in france[0]) == (True, False)
    assert ("Paris" in japan[0], "Tokyo" in japan[0]) == (False, True)


async def test_a_closed_reply_frees_its_slot(model: LlamaModel) -> None:
    long = model.generate(ask("Tell me a very long story."), GenerationOptions(max_tokens=400, slot=0))
    assert isinstance(await anext(long), TextDelta)
    await long.aclose()
    text, _ = await reply(model.generate(ask("What is the capital of France?"), replace(GREEDY, slot=0)))
    assert "Paris" in text


async def test_reading_a_prompt_can_be_cancelled(model: LlamaModel) -> None:
    await reply(model.generate(ask("Hi"), replace(GREEDY, slot=0)))
    long = ask("the old town and its people " * 60)
    tokens = await model.count_tokens(long, GenerationOptions())
    task = asyncio.create_task(reply(model.generate(long, replace(GREEDY, slot=0))))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, end = await reply(model.generate(long, replace(GREEDY, slot=0)))
    assert end.cached_tokens < tokens / 2


async def test_a_prompt_too_long_is_shortened_quietly(model: LlamaModel, capfd: pytest.CaptureFixture[str]) -> None:
    """What estimates let through must not cost the reply."""
    text, end = await reply(model.generate(ask("hello " * 1500), GREEDY))
    assert text
    assert end.input_tokens < 1024
    assert capfd.readouterr().err == ""


async def test_tools_are_called_and_their_results_read(model: LlamaModel) -> None:
    question = ask("What's the weather in Paris?")
    options = replace(GREEDY, max_tokens=60, tools=(WEATHER,))
    calls = [event async for event in model.generate(question, options) if isinstance(event, ToolCall)]
    assert [call.name for call in calls] == ["get_weather"]
    assert "Paris" in calls[0].arguments
    history = (*question, Message("assistant", "", tuple(calls)), Message("tool", "sunny", tool_call_id=calls[0].id))
    with_tools, without = (
        await model.count_tokens(history, options),
        await model.count_tokens(history, GenerationOptions()),
    )
    assert with_tools > without > await model.count_tokens(question, GenerationOptions())
    end = (await reply(model.generate(history, replace(options, max_tokens=0))))[1]
    assert end.input_tokens == with_tools


@pytest.mark.parametrize("tools", [(), (WEATHER,)])
@pytest.mark.parametrize("arguments", ["{no", "", "[1]", "null"])
async def test_arguments_of_any_kind_cost_no_reply(model: LlamaModel, arguments: str, tools: tuple[Tool, ...]) -> None:
    """A client's history may hold calls of another model; the template reads nothing but JSON objects."""
    history = (
        *ask("Hi"),
        Message("assistant", "", (ToolCall("c", "get_weather", arguments),)),
        Message("tool", "?", (), "c"),
    )
    text, _ = await reply(model.generate(history, replace(GREEDY, max_tokens=8, tools=tools)))
    assert text


async def test_it_tells_a_finished_sentence_from_one_that_goes_on_and_reads_nothing_twice(model: LlamaModel) -> None:
    hello = Message("assistant", "Hello, how can I help you?")
    slot = replace(GREEDY, slot=0)

    async def sentence_end(words: str) -> float:
        probability = await model.sentence_end((SYSTEM, hello, Message("user", words)), slot)
        assert probability is not None
        return probability

    pairs = [
        ("What is the capital of France", "What is the capital of"),
        ("I would like to book a table for two tonight", "I would like to book a table for two and"),
        ("今天天气怎么样", "今天我想和"),
        ("明日の天気を教えてください", "明日の天気を教えて欲しいので"),
    ]
    for finished, cut in pairs:
        assert await sentence_end(finished) > 0.1 > 2 * await sentence_end(cut)
    question = (SYSTEM, hello, Message("user", "What is the capital of France"))
    await reply(model.generate(question, replace(slot, max_tokens=0)))
    await sentence_end("What is the capital of France")
    _, end = await reply(model.generate(question, slot))
    assert end.input_tokens - end.cached_tokens <= 6  # the end of the user's turn and the beginning of the reply


async def test_the_same_instructions_are_read_once_for_all_conversations(model: LlamaModel) -> None:
    rooms = " ".join(f"Room {number} is on floor {number % 7}." for number in range(20))
    clerk = Message("system", f"You are a clerk. {rooms} The office opens at nine.")
    async for _ in model.generate((clerk, Message("user", "")), GenerationOptions(max_tokens=0, slot=0)):
        pass
    await reply(model.generate(ask("What is the capital of France?"), replace(GREEDY, slot=1)))
    question = Message("user", "When does the office open?")
    text, end = await reply(model.generate((clerk, question), replace(GREEDY, slot=1)))
    assert "nine" in text or "9" in text
    assert end.cached_tokens > 0.8 * end.input_tokens


async def test_what_goes_on_aside_is_not_read_again(model: LlamaModel) -> None:
    question = (*ask("Count from one to nine in words."), Message("assistant", "One, two,"))
    begun = replace(GREEDY, slot=0, max_tokens=2, continue_last_message=True, continued_aside=True)
    text, _ = await reply(model.generate(question, begun))
    further = (*question[:-1], Message("assistant", f"One, two,{text}"))
    _, end = await reply(model.generate(further, replace(begun, slot=None, continued_aside=False, aside=True)))
    assert end.cached_tokens >= end.input_tokens - 2
