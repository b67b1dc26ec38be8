"""A server whose language model, recogniser, speakers and embedder are another Vivavoce's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from recordings import TWO_PARTS, loudness, wav
from running import RunningServer, running, silence, talking, tone
from vivavoce.audio.pcm import decode_pcm16
from vivavoce.config import load_config
from vivavoce.config.engines import FAKE_ENGINES

KEY = {"auth": {"keys": {"front": "a-key-for-the-front"}}}


@pytest.fixture(scope="module")
def back() -> Iterator[RunningServer]:
    with running(load_config(KEY, profile="fake")) as started:
        yield started


@pytest.fixture(scope="module")
def front(back: RunningServer) -> Iterator[RunningServer]:
    where = {"url": f"{back.http}/v1", "api_key": "a-key-for-the-front"}
    far = {
        "ears": {"engine": "openai", "settings": {**where, "model": "step-asr"}},
        "mouth": {
            "engine": "openai",
            "settings": {**where, "model": "step-tts-2", "voices": ["alloy", "qingchunshaonv"]},
        },
        "reader": {"engine": "openai", "settings": {**where, "model": "text-embedding-3-small", "dimensions": 256}},
    }
    large = {"engine": "openai", "settings": {**where, "model": "step-audio-2"}}
    engines = {
        **FAKE_ENGINES.model_dump(),
        "recognizer": "ears", "speakers": ["mouth"], "embedder": "reader", "instances": far,
        "language_models": {"large": large, "small": {"engine": "fake"}},
    }  # fmt: skip
    with running(load_config({"engines": engines})) as started:
        yield started


async def test_a_voice_turn(front: RunningServer) -> None:
    async with talking(front) as talker:
        await talker.append(tone(600) + silence(1200))
        events = await talker.until("response.done")
        heard = [event for event in events if event["type"].endswith("input_audio_transcription.completed")]
        assert heard[0]["transcript"]
        done = events[-1]["response"]
        assert done["status"] == "completed"
        assert heard[0]["transcript"].strip() in done["output"][0]["content"][0]["transcript"]
        audio = sum(len(event["delta"]) for event in events if event["type"] == "response.audio.delta")
        assert audio > 10_000


async def test_tools(front: RunningServer) -> None:
    tool = {"type": "function", "name": "lamp", "description": "Switches it", "parameters": {"type": "object"}}
    async with talking(front) as talker:
        await talker.send(type="session.update", session={"tools": [tool]})
        await talker.say('Please call lamp {"on": true}')
        await talker.send(type="response.create")
        events = await talker.until("response.done")
        (call,) = [item for item in events[-1]["response"]["output"] if item["type"] == "function_call"]
        assert (call["name"], json.loads(call["arguments"])) == ("lamp", {"on": True})


async def test_interruption(front: RunningServer, back: RunningServer) -> None:
    async with talking(front) as talker:
        await talker.say("word " * 300)
        await talker.send(type="response.create")
        await talker.until("response.audio.delta")
        await talker.append(tone(800) + silence(1200))
        done = (await talker.until("response.done"))[-1]["response"]
        assert done["status"] == "cancelled"
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"
    assert front.all_seats_free()
    assert back.all_seats_free()


def ask(server: RunningServer, path: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.http}/v1/{path}", json=body, timeout=30).raise_for_status()


def test_chat(front: RunningServer) -> None:
    messages = [{"role": "user", "content": "Hello there"}]
    answer = ask(
        front, "chat/completions", model="step-audio-2", messages=messages, logprobs=True, top_logprobs=2
    ).json()
    choice = answer["choices"][0]
    assert choice["message"]["content"] == "You said: Hello there"
    assert len(choice["logprobs"]["content"][0]["top_logprobs"]) == 2
    assert answer["usage"]["completion_tokens"] == 4
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer = ask(front, "chat/completions", model="step-audio-2", messages=messages, response_format=form).json()
    assert isinstance(json.loads(answer["choices"][0]["message"]["content"])["a"], int)


def test_speech_and_back(front: RunningServer, back: RunningServer) -> None:
    body = {"model": "step-tts-2", "input": "Hello there.", "voice": "alloy", "response_format": "pcm"}
    samples = decode_pcm16(ask(front, "audio/speech", **body).content)
    assert np.abs(samples).max() > 0.05
    file = {"file": ("a.wav", wav(loudness(*TWO_PARTS)), "audio/wav")}
    key = {"Authorization": "Bearer a-key-for-the-front"}
    form = {"model": "step-asr", "response_format": "verbose_json", "timestamp_granularities[]": "word"}
    texts = [
        httpx.post(f"{server.http}/v1/audio/transcriptions", data=form, files=file, headers=key, timeout=30).json()[
            "text"
        ]
        for server in (front, back)
    ]
    assert texts[0]
    assert texts[0] == texts[1]


def test_embeddings(front: RunningServer) -> None:
    answer = ask(front, "embeddings", model="text-embedding-3-small", input=["the red cat", "Red, the cat!"]).json()
    first, second = (np.array(row["embedding"]) for row in answer["data"])
    assert first @ second == pytest.approx(1, abs=1e-3)


def test_readiness_asks_all_of_them(front: RunningServer) -> None:
    checks = httpx.get(f"{front.http}/readyz", timeout=10).json()["checks"]
    assert {name for name in checks if name.startswith("engine ")} == {
        "engine large", "engine ears", "engine mouth", "engine reader",
    }  # fmt: skip
    assert all(check["ok"] for check in checks.values())
