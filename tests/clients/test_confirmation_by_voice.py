"""A call that waits for a yes, by voice, with the real models: put right while the question is spoken, then declined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from clients.speaking import spoken, to_the_end
from running import RunningServer, Talker, silence, talking

pytestmark = pytest.mark.real

REFUND = {
    "type": "function",
    "name": "request_refund",
    "description": "Refund an order to the customer.",
    "parameters": {
        "type": "object",
        "properties": {"order_number": {"type": "string", "description": "digits"}},
        "required": ["order_number"],
    },
}


async def speak(talker: Talker, text: str) -> None:
    audio = spoken(text) + silence(2500)
    for at in range(0, len(audio), 9600):
        await talker.append(audio[at : at + 9600])


def question_of(events: Sequence[dict[str, Any]]) -> str:
    """What was asked, without anything between the digits."""
    words = "".join(event["delta"] for event in events if event["type"] == "response.audio_transcript.delta")
    return re.sub(r"(?<=\d)[ -](?=\d)", "", words)


def calls(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["arguments"] for event in events if event["type"] == "response.function_call_arguments.done"]


async def test_a_call_is_put_right_in_the_midst_of_the_question_and_declined(real_server: RunningServer) -> None:
    async with talking(real_server) as talker:
        talker.patience_s = 300.0
        vad = {"type": "server_vad", "silence_duration_ms": 500}
        await talker.send(type="session.update", session={"tools": [REFUND], "turn_detection": vad})
        await talker.until("session.updated")
        await speak(talker, "Please refund my order, the number is four seven one one two.")
        heard = await talker.until("response.audio.delta")
        while not question_of(heard).rstrip().endswith("?"):  # a few words may be said before the question
            heard += await talker.until("response.audio.delta")
        await speak(talker, "No, four seven one three two.")
        heard += await to_the_end(talker)
        assert heard[-1]["response"]["status"] == "cancelled", "the question is interrupted"
        put_right = await to_the_end(talker)
        assert "47132" in question_of(put_right), question_of(put_right)
        await speak(talker, "No, please don't do that.")
        declined = await to_the_end(talker)
        assert question_of(declined)
        assert not calls([*heard, *put_right, *declined])
