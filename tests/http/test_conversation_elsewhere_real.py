"""Conversations whose language model is llama.cpp's own server, and whose recogniser and speaker are another Vivavoce's."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from llama_server import llama_server

from clients.speaking import spoken, to_the_end, understood
from running import RunningServer, Talker, running, silence, talking
from vivavoce.config import load_config
from vivavoce.config.engines import FAKE_ENGINES
from vivavoce.engines.llama.native import find_gguf

pytestmark = pytest.mark.real

PATIENCE_S = 300.0
KEY = "a-key-for-the-front"
WEATHER = {
    "type": "function", "name": "get_weather", "description": "The weather in a city now",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def brain(weights: Callable[[str], Path]) -> Iterator[str]:
    with llama_server(find_gguf(weights("qwen2.5-coder-1.5b")), context_tokens=2048, slots=2) as url:
        yield url


@pytest.fixture(scope="module")
def back() -> Iterator[RunningServer]:
    """Ears and a mouth: whisper and hibari."""
    engines = {**FAKE_ENGINES.model_dump(), "recognizer": "whisper", "speakers": ["hibari"]}
    with running(load_config({"engines": engines, "auth": {"keys": {"front": KEY}}})) as started:
        yield started


@pytest.fixture(scope="module")
def front(brain: str, back: RunningServer) -> Iterator[RunningServer]:
    """Nothing but turn-taking is its own. The language model gets no aids: as a large one would be asked."""
    where = {"url": f"{back.http}/v1", "api_key": KEY, "first_s": 120, "between_s": 60}
    model = {"url": brain, "model": "served", "first_s": 240, "between_s": 60, "aids": [], "prefill": True}
    engines = {
        **FAKE_ENGINES.model_dump(),
        "speech_detector": "silero", "recognizer": "ears", "speakers": ["mouth"],
        "instances": {
            "ears": {"engine": "openai", "settings": {**where, "model": "step-asr"}},
            "mouth": {"engine": "openai", "settings": {**where, "model": "step-tts-2", "voices": ["alloy"]}},
        },
        "language_models": {
            "large": {"engine": "openai", "settings": model}, "small": {"engine": "openai", "settings": model},
        },
    }  # fmt: skip
    with running(load_config({"engines": engines, "persona": {"name": "Marvin"}})) as started:
        yield started


@asynccontextmanager
async def conversation(front: RunningServer, **session: Any) -> AsyncIterator[Talker]:
    async with talking(front) as talker:
        talker.patience_s = PATIENCE_S
        vad = {"type": "server_vad", "silence_duration_ms": 500}
        await talker.send(type="session.update", session={"voice": "alloy", "turn_detection": vad, **session})
        await talker.until("session.updated")
        yield talker


async def speak(talker: Talker, text: str) -> None:
    audio = spoken(text) + silence(2000)
    for at in range(0, len(audio), 9600):
        await talker.append(audio[at : at + 9600])


async def test_a_voice_turn(front: RunningServer, back: RunningServer) -> None:
    async with conversation(front) as talker:
        await speak(talker, "What is the capital of France?")
        events = await to_the_end(talker)
    (heard,) = [event for event in events if event["type"].endswith("input_audio_transcription.completed")]
    assert "capital of france" in heard["transcript"].lower()
    response = events[-1]["response"]
    assert response["status"] == "completed"
    assert response["usage"]["input_tokens"] > 20
    assert "Paris" in response["output"][0]["content"][0]["transcript"]
    pcm = b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta")
    assert "paris" in understood(front, pcm)


async def test_tools(front: RunningServer) -> None:
    async with conversation(front, tools=[WEATHER], instructions="Answer in one short sentence.") as talker:
        await speak(talker, "What is the weather in Paris?")
        events = await to_the_end(talker)
        calls = [item for item in events[-1]["response"]["output"] if item["type"] == "function_call"]
        assert [(call["name"], json.loads(call["arguments"])) for call in calls] == [("get_weather", {"city": "Paris"})]
        output = {"type": "function_call_output", "call_id": calls[0]["call_id"], "output": "It rains."}
        await talker.send(type="conversation.item.create", item=output)
        await talker.send(type="response.create")
        done = (await to_the_end(talker))[-1]["response"]
        assert done["status"] == "completed"
        assert "rain" in done["output"][0]["content"][0]["transcript"].lower()


async def test_interruption(front: RunningServer, back: RunningServer) -> None:
    async with conversation(front) as talker:
        await talker.say("Tell me a long story about a fox.")
        await talker.send(type="response.create")
        await talker.until("response.audio.delta")
        await speak(talker, "Stop, please. What is two plus two?")
        assert (await to_the_end(talker))[-1]["response"]["status"] == "cancelled"
        done = (await to_the_end(talker))[-1]["response"]
        assert done["status"] == "completed"
        said = done["output"][0]["content"][0]["transcript"].lower()
        assert "4" in said or "four" in said
    assert front.all_seats_free()
    assert back.all_seats_free()


def chat(front: RunningServer, *messages: dict[str, str], **fields: Any) -> httpx.Response:
    body = {"model": "step-audio-2", "messages": messages, "modalities": ["text"], "temperature": 0, **fields}
    return httpx.post(f"{front.http}/v1/chat/completions", json=body, timeout=PATIENCE_S).raise_for_status()


def test_chat(front: RunningServer) -> None:
    answer = chat(front, {"role": "user", "content": "What is the capital of France?"}, max_tokens=30).json()
    assert "Paris" in answer["choices"][0]["message"]["content"]
    assert answer["usage"]["prompt_tokens"] > 10
    streamed = chat(front, {"role": "user", "content": "Count from one to three."}, max_tokens=30, stream=True).text
    assert streamed.rstrip().endswith("data: [DONE]")


@pytest.mark.parametrize(
    ("instructions", "question", "name"),
    [
        (None, "Who are you?", "Marvin"),
        ("Always answer in one short sentence.", "Who are you?", "Marvin"),
        ("You help people with their garden. Answer in one short sentence.", "What is your name?", "Marvin"),
        ("请用一句话回答。", "你是谁？", "Marvin"),
        ("请用一句话回答。", "你是哪家公司开发的？", "Vivavoce"),
        ("You are Jack, a pirate. Answer in one short sentence.", "Who are you?", "Jack"),
    ],
)
def test_the_persona_survives_another_brain(
    front: RunningServer, instructions: str | None, question: str, name: str
) -> None:
    """Without any aid, and whatever the instructions are about."""
    system = [] if instructions is None else [{"role": "system", "content": instructions}]
    said = chat(front, *system, {"role": "user", "content": question}, max_tokens=40).json()
    text = said["choices"][0]["message"]["content"]
    assert name in text, text
    assert not any(maker in text for maker in ("OpenAI", "Qwen", "Alibaba", "ChatGPT", "Claude", "阿里", "通义")), text
