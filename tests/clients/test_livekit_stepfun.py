"""livekit-plugins-stepfun against the running server: it connects and gets a spoken reply."""

from __future__ import annotations

import asyncio

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.plugins.stepfun.realtime import RealtimeModel, RealtimeSession

from clients.speaking import spoken
from running import RunningServer

FRAME = 480  # 20 ms at 24 kHz


async def asked_aloud(session: RealtimeSession, question: bytes) -> tuple[str, int]:
    """The reply's words and its number of audio samples."""
    generations: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
    session.on("generation_created", generations.put_nowait)
    for at in range(0, len(question) - FRAME * 2, FRAME * 2):
        data = question[at : at + FRAME * 2]
        session.push_audio(rtc.AudioFrame(data, sample_rate=24_000, num_channels=1, samples_per_channel=FRAME))
    async with asyncio.timeout(90):
        generation = await generations.get()
        words, samples = "", 0
        async for message in generation.message_stream:
            async for frame in message.audio_stream:
                samples += int(np.frombuffer(frame.data, np.int16).size)
            words += "".join([text async for text in message.text_stream])
        return words, samples


async def conversation(server: RunningServer, question: bytes) -> tuple[str, int]:
    async with aiohttp.ClientSession() as http:
        model = RealtimeModel(
            model="step-audio-2-mini", api_key="unused", base_url=f"{server.ws}/v1/realtime", http_session=http
        )
        session = model.session()
        try:
            return await asked_aloud(session, question)
        finally:
            await session.aclose()


async def test_it_gets_a_spoken_reply(fake_server: RunningServer) -> None:
    words, samples = await conversation(fake_server, spoken("How many days are in a week?"))
    assert words.startswith("You said: I heard ")
    assert samples == pytest.approx(len(words) * 50 * 24, abs=2 * 50 * 24)  # spaces between clauses are not hummed


@pytest.mark.real
async def test_it_gets_a_spoken_reply_from_the_real_models(real_server: RunningServer) -> None:
    words, samples = await conversation(real_server, spoken("What is the capital of France?"))
    assert "Paris" in words
    assert samples > 24_000 * 0.3
