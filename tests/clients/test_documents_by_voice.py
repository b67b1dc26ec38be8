"""A document asked about aloud, with the real models: the right number is heard in the spoken answer."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from clients.speaking import spoken, to_the_end, understood
from knowledge.documents import pdf
from running import RunningServer, silence, talking
from tools.test_retrieval_end_to_end import knowing, tool_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

QUESTION, NUMBERS = "How long does the battery of the Aurora three last?", ("eleven", "11")


async def test_the_number_is_heard(real_server: RunningServer, tmp_path: Path) -> None:
    store = knowing(real_server, pdf(tmp_path / "aurora.pdf"))
    async with talking(real_server) as talker:
        vad = {"type": "server_vad", "silence_duration_ms": 500}
        await talker.send(type="session.update", session={"tools": [tool_for(store)], "turn_detection": vad})
        await talker.until("session.updated")
        # A microphone goes on: a question that sounds unfinished is waited with longer.
        audio = spoken(QUESTION) + silence(3000)
        for at in range(0, len(audio), 9600):
            await talker.append(audio[at : at + 9600])
        events = await to_the_end(talker)
    pcm = b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta")
    heard = understood(real_server, pcm)
    assert any(number in heard for number in NUMBERS), heard
    [item] = events[-1]["response"]["output"]
    citation = item["metadata"]["citations"][0]
    assert citation["title"] == "aurora.pdf"
    assert "eleven hours" in citation["passage"]
