"""Functions with effects asked for aloud, with the real models: what is asked back, and what becomes of the answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clients.speaking import spoken, to_the_end
from running import RunningServer, Talker, silence, talking

pytestmark = [pytest.mark.real, pytest.mark.slow]

REFUND = {
    "type": "function",
    "name": "refund_order",
    "description": "Refund an order to the customer.",
    "parameters": {
        "type": "object",
        "properties": {"order": {"type": "string", "description": "the order number"}},
        "required": ["order"],
    },
}
REQUEST = "Please refund my order, number four seven one one two."
CORRECTION = "No, it is four seven one three two."


@asynccontextmanager
async def customer(server: RunningServer) -> AsyncIterator[Talker]:
    """Somebody who calls a shop that can refund orders."""
    async with talking(server) as talker:
        talker.patience_s = 300
        vad = {"type": "server_vad", "silence_duration_ms": 500}
        await talker.send(type="session.update", session={"tools": [REFUND], "turn_detection": vad})
        await talker.until("session.updated")
        yield talker


async def speak(talker: Talker, text: str) -> None:
    audio = spoken(text) + silence(1500)
    for at in range(0, len(audio), 9600):
        await talker.append(audio[at : at + 9600])


def words(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.audio_transcript.delta")


def calls(events: list[dict[str, Any]]) -> list[str]:
    output = [item for event in events if event["type"] == "response.done" for item in event["response"]["output"]]
    return [json.loads(item["arguments"])["order"] for item in output if item["type"] == "function_call"]


def digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


async def asked_back(talker: Talker) -> str:
    """What the user is asked after the request; there is no call."""
    await speak(talker, REQUEST)
    events = await to_the_end(talker)
    question = words(events)
    assert not calls(events)
    assert question.rstrip().endswith("?"), question
    return question


async def test_a_yes_acts_once(real_server: RunningServer) -> None:
    async with customer(real_server) as talker:
        assert "47112" in digits(await asked_back(talker))
        await speak(talker, "Yes, please.")
        assert calls(await to_the_end(talker)) == ["47112"]


async def test_a_no_ends_it(real_server: RunningServer) -> None:
    async with customer(real_server) as talker:
        await asked_back(talker)
        await speak(talker, "No, leave it.")
        events = await to_the_end(talker)
        assert not calls(events)
        assert words(events).strip()


async def test_a_correction_spoken_into_the_question(real_server: RunningServer) -> None:
    async with customer(real_server) as talker:
        await speak(talker, REQUEST)
        await talker.until("response.audio.delta")
        await speak(talker, CORRECTION)
        interrupted, question = await to_the_end(talker), await to_the_end(talker)
        assert not calls(interrupted)
        assert not calls(question)
        assert "47132" in digits(words(question)), words(question)
        await speak(talker, "Yes, do it.")
        assert calls(await to_the_end(talker)) == ["47132"]
