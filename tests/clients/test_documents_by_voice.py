"""A document asked about aloud, with the real models: the right number is heard in the spoken answer."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.speaking import spoken
from knowledge.documents import pdf
from running import RunningServer, Talker, silence, talking
from tools.test_retrieval_end_to_end import knowing, tool_for
from vivavoce.audio.encoding import encode
from vivavoce.audio.pcm import decode_pcm16

pytestmark = pytest.mark.real

RATE_HZ = 24_000
QUESTION, NUMBERS = "How long does the battery of the Aurora three last?", ("eleven", "11")


def understood(server: RunningServer, pcm: bytes) -> str:
    """What the recogniser makes of the answer's audio."""
    samples = decode_pcm16(pcm)
    answer = httpx.post(
        f"{server.http}/v1/audio/transcriptions",
        data={"model": "whisper-1", "language": "en", "response_format": "text"},
        files={"file": ("answer.wav", encode(samples, "wav", RATE_HZ))},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    return answer.text.lower()


async def to_the_end(talker: Talker) -> list[dict[str, Any]]:
    """Events up to ``response.done``, on however slow a machine."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(300):
        while not events or events[-1]["type"] != "response.done":
            events.append(json.loads(await talker.socket.recv()))
    return events


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
