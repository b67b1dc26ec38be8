"""A tier served by another Vivavoce with the real small models: a question aloud, a call, an interruption."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from clients.speaking import spoken, to_the_end, understood
from running import RunningServer, Talker, running, silence, talking
from vivavoce.audio.pcm import decode_pcm16
from vivavoce.bench.barge_in import barge_in, by_recognition
from vivavoce.bench.questions import Question
from vivavoce.bench.turn import Target
from vivavoce.config import load_config
from vivavoce.config.engines import FAKE_ENGINES

pytestmark = pytest.mark.real

WEATHER = {
    "type": "function", "name": "get_weather", "description": "The weather in a city now",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}  # fmt: skip
VAD = {"type": "server_vad", "silence_duration_ms": 500}


@pytest.fixture(scope="module")
def front(real_server: RunningServer) -> Iterator[RunningServer]:
    """It ends turns and reads them itself; all else is the other server's."""
    settings = {"url": f"{real_server.http}/v1", "model": "step-audio-2", "first_s": 280, "between_s": 120}
    engines = {
        **FAKE_ENGINES.model_dump(), "speech_detector": "silero", "recognizer": "whisper",
        "instances": {"hosted": {"engine": "stepfun", "settings": settings}},
    }  # fmt: skip
    tiers = {"served_by": {"step-audio-2": {"realtime": "hosted"}}}
    with running(load_config({"engines": engines, "tiers": tiers})) as started:
        yield started


async def ask(talker: Talker, words: str) -> list[dict[str, Any]]:
    audio = spoken(words) + silence(2000)
    for at in range(0, len(audio), 9600):
        await talker.append(audio[at : at + 9600])
    return await to_the_end(talker)


def pcm_of(events: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta")


async def test_a_question_aloud_and_a_call(front: RunningServer, real_server: RunningServer) -> None:
    async with talking(front) as talker:
        talker.patience_s = 300
        await talker.send(type="session.update", session={"tools": [WEATHER], "turn_detection": VAD})
        events = await ask(talker, "What is the capital of France?")
        assert "paris" in understood(real_server, pcm_of(events)).lower()
        # Whether to call is a small model's guess; that the call is asked for there and made here is not.
        await talker.send(type="session.update", session={"tool_choice": "required"})
        events = await ask(talker, "What is the weather in Paris?")
        (call,) = [item for item in events[-1]["response"]["output"] if item["type"] == "function_call"]
        assert json.loads(call["arguments"])["city"].startswith("Paris")
        await talker.send(type="session.update", session={"tool_choice": "auto"})
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "It is raining, nine degrees."}
        await talker.send(type="conversation.item.create", item=output)
        await talker.send(type="response.create")
        events = await to_the_end(talker)
        assert events[-1]["response"]["status"] == "completed"
        assert len(pcm_of(events)) > 48 * 300  # what a small model makes of the weather is its own business
    assert real_server.all_seats_free()


async def test_an_interruption(front: RunningServer) -> None:
    samples = decode_pcm16(spoken("Stop, that is enough for today."))
    question = Question("stop", "en", np.asarray(samples, np.float32), len(samples) / 24)
    target = Target(front.ws, timeout_s=240)
    run = await barge_in(target, question, 1.0, by_recognition(target))
    assert not run.failure
    assert run.notified_ms < 1500
    assert run.words_heard > 0
    assert abs(run.difference) <= 4
