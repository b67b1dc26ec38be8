"""The openai engine against llama.cpp's own server with the weights of the built-in engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from llama_server import llama_server

from vivavoce.engines.base import EngineContext
from vivavoce.engines.llama.native import find_gguf
from vivavoce.engines.openai.language_model import OpenAILanguageModel, load
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    TextDelta,
    TokenScores,
    Tool,
    ToolCall,
)

pytestmark = pytest.mark.real

PERSONA = Message("system", "You are a voice assistant. Answer in one short sentence.")
WEATHER = Tool(
    "get_weather", "The weather in a city now",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)  # fmt: skip


@pytest.fixture(scope="module")
def address(weights: Callable[[str], Path]) -> Iterator[str]:
    with llama_server(find_gguf(weights("qwen2.5-coder-1.5b")), context_tokens=512, slots=1, threads=1) as url:
        yield url


@asynccontextmanager
async def connected(address: str, **settings: Any) -> AsyncIterator[OpenAILanguageModel]:
    values = {"url": address, "model": "served", "first_s": 240, "between_s": 60, **settings}
    context = EngineContext(
        weights=lambda name: pytest.fail(name), threads=1, capacity=1, settings=values, name="large"
    )
    model = await asyncio.to_thread(load, context)
    yield model
    await model.close()


async def asked(model: OpenAILanguageModel, *said: Message, **options: Any) -> tuple[str, list[GenerationEvent]]:
    values = {"temperature": 0.0, "max_tokens": 30, **options}
    events = [event async for event in model.generate((PERSONA, *said), GenerationOptions(**values))]
    return "".join(event.text for event in events if isinstance(event, TextDelta)), events


async def test_words_calls_schemas_and_going_on(address: str) -> None:
    async with connected(address) as model:
        assert model.context_tokens == 512
        text, events = await asked(model, Message("user", "What is the capital of France?"), logprobs=1)
        assert "Paris" in text
        assert isinstance(events[0], TokenScores)
        end = events[-1]
        assert isinstance(end, GenerationEnd)
        assert end.input_tokens > 20
        text, events = await asked(model, Message("user", "What is the weather in Paris?"), tools=(WEATHER,))
        calls = [(call.name, json.loads(call.arguments)) for call in events if isinstance(call, ToolCall)]
        assert (text, calls) == ("", [("get_weather", {"city": "Paris"})])
        text, _ = await asked(
            model, Message("user", "Count to five."), Message("assistant", "One, two,"), continue_last_message=True
        )
        assert text.strip().lower().startswith("three")


async def test_a_prompt_that_is_too_long_for_it_is_shortened(address: str) -> None:
    history = [
        Message(role, "This was said before, and it was rather long. " * 6) for role in ("user", "assistant") * 5
    ]
    async with connected(address) as model:
        text, _ = await asked(model, *history, Message("user", "What is the capital of France?"), max_tokens=8)
    assert "Paris" in text


async def test_it_tells_whether_a_sentence_is_over(address: str) -> None:
    """What the built-in engine hears of an end, the same weights elsewhere hear as well."""

    async def over(words: str) -> float:
        probability = await model.sentence_end((PERSONA, Message("user", words)), GenerationOptions(tools=(WEATHER,)))
        assert probability is not None
        return probability

    async with connected(address, prefill=True) as model:
        assert await over("What is the weather like in Boston") > 10 * await over("What is the weather like in")
