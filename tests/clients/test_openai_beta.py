"""openai-python's beta Realtime client against the running server: a text turn, a voice turn."""

from __future__ import annotations

import asyncio
import base64
import re
import warnings

import pytest
from openai import AsyncOpenAI
from openai.resources.beta.realtime.realtime import AsyncRealtimeConnection
from openai.types.beta.realtime import RealtimeServerEvent

from clients.speaking import spoken
from running import RunningServer

TIER = "step-audio-2-mini"


def client_of(server: RunningServer) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="unused", base_url=f"{server.http}/v1", websocket_base_url=f"{server.ws}/v1")


async def until(connection: AsyncRealtimeConnection, kind: str) -> list[RealtimeServerEvent]:
    events: list[RealtimeServerEvent] = []
    async with asyncio.timeout(90):
        async for event in connection:
            assert event.type != "error", event
            events.append(event)
            if event.type == kind:
                return events
    raise AssertionError("the connection ended")


async def text_turn(server: RunningServer, question: str) -> str:
    async with client_of(server) as client, client.beta.realtime.connect(model=TIER) as connection:
        created = await connection.recv()
        assert created.type == "session.created"
        assert created.session.id
        await connection.session.update(session={"modalities": ["text"]})
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
        )
        await connection.response.create()
        events = await until(connection, "response.done")
        return "".join(event.delta for event in events if event.type == "response.text.delta")


async def voice_turn(server: RunningServer, question: bytes) -> tuple[str, str, bytes]:
    """What was understood, what was answered, and the answer's audio."""
    async with client_of(server) as client, client.beta.realtime.connect(model=TIER) as connection:
        await connection.recv()
        await connection.session.update(
            session={
                "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
                "input_audio_transcription": {"model": "whisper-1"},
            }
        )
        for at in range(0, len(question), 960):
            await connection.input_audio_buffer.append(audio=base64.b64encode(question[at : at + 960]).decode())
        events = await until(connection, "response.done")
        heard = next(
            event.transcript
            for event in events
            if event.type == "conversation.item.input_audio_transcription.completed"
        )
        answer = next(event.transcript for event in events if event.type == "response.audio_transcript.done")
        audio = b"".join(base64.b64decode(event.delta) for event in events if event.type == "response.audio.delta")
        return heard, answer, audio


@pytest.fixture(autouse=True)
def _deprecated_by_its_makers() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


async def test_a_text_turn(fake_server: RunningServer) -> None:
    assert await text_turn(fake_server, "good morning") == "You said: good morning"


async def test_a_voice_turn(fake_server: RunningServer) -> None:
    heard, answer, audio = await voice_turn(fake_server, spoken("How many days are in a week?"))
    assert re.fullmatch(r"I heard \d+ milliseconds\.", heard)
    assert answer == f"You said: {heard}"
    assert len(audio) == pytest.approx(len(answer) * 50 * 48, abs=2 * 50 * 48)  # spaces between clauses are not hummed


@pytest.mark.real
async def test_a_text_turn_with_the_real_models(real_server: RunningServer) -> None:
    answer = await text_turn(real_server, "What is the capital of France?")
    assert "Paris" in answer


@pytest.mark.real
async def test_a_voice_turn_with_the_real_models(real_server: RunningServer) -> None:
    heard, answer, audio = await voice_turn(real_server, spoken("What is the capital of France?"))
    assert "capital of france" in heard.lower()
    assert "Paris" in answer
    assert len(audio) > 48 * 300
