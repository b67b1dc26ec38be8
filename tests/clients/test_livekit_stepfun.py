"""livekit-plugins-stepfun against the running server: a spoken reply, a function call, an interruption."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from math import ceil
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import function_tool, llm
from livekit.plugins.stepfun.realtime import RealtimeModel, RealtimeSession

from clients.speaking import spoken
from running import RunningServer, silence, tone
from vivavoce.types import GenerationEvent, GenerationOptions, Message, ThinkingDelta

FRAME = 480  # 20 ms at 24 kHz
STORY = "once upon a time " * 20


class Plugin:
    """A session of the plugin's, what it tells of, and what went wrong in it."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self.generations: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
        self.interrupted = asyncio.Event()
        self.transcripts: asyncio.Queue[llm.InputTranscriptionCompleted] = asyncio.Queue()
        self.thoughts = ""
        self.errors: list[llm.RealtimeModelError] = []
        session.on("generation_created", self.generations.put_nowait)
        session.on("input_audio_transcription_completed", self.transcripts.put_nowait)
        session.on("openai_server_event_received", self._received)
        session.on("input_speech_started", lambda _: self.interrupted.set())
        session.on("error", self.errors.append)

    def _received(self, event: dict[str, str]) -> None:
        if event["type"] == "response.thinking.delta":
            self.thoughts += event["delta"]

    def speak(self, audio: bytes) -> None:
        for at in range(0, len(audio) - FRAME * 2 + 1, FRAME * 2):
            data = audio[at : at + FRAME * 2]
            self.session.push_audio(rtc.AudioFrame(data, sample_rate=24_000, num_channels=1, samples_per_channel=FRAME))

    async def add(self, item: llm.ChatItem) -> None:
        """One more item of the conversation, as an agent adds it: by the whole of the new one."""
        context = self.session.chat_ctx.copy()
        context.items.append(item)
        await self.session.update_chat_ctx(context)


async def heard(generation: llm.GenerationCreatedEvent) -> tuple[str, int]:
    """The reply's words and its number of audio samples."""
    words, samples = "", 0
    async with asyncio.timeout(90):
        async for message in generation.message_stream:
            async for frame in message.audio_stream:
                samples += int(np.frombuffer(frame.data, np.int16).size)
            words += "".join([text async for text in message.text_stream])
    return words, samples


@asynccontextmanager
async def plugin(server: RunningServer, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Plugin]:
    """Connected. It logs what it cannot handle, and goes on; here that fails."""
    async with aiohttp.ClientSession() as http:
        model = RealtimeModel(
            model="step-audio-2-mini", api_key="unused", base_url=f"{server.ws}/v1/realtime", http_session=http
        )
        session = model.session()
        try:
            talking = Plugin(session)
            yield talking
        finally:
            await session.aclose()
    assert not talking.errors
    assert not [record.message for record in caplog.records if record.levelno >= logging.WARNING]


async def asked_aloud(server: RunningServer, caplog: pytest.LogCaptureFixture, question: bytes) -> tuple[str, int]:
    async with plugin(server, caplog) as talking:
        talking.speak(question)
        return await heard(await asyncio.wait_for(talking.generations.get(), 90))


async def test_it_gets_a_spoken_reply(fake_server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    words, samples = await asked_aloud(fake_server, caplog, silence(300) + tone(1000) + silence(700))
    assert words == "You said: I heard 1000 milliseconds."
    assert samples == pytest.approx(len(words) * 50 * 24, abs=2 * 50 * 24)  # spaces between clauses are not hummed


async def test_it_is_told_what_the_user_said_and_what_the_model_thinks(
    fake_server: RunningServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for neither, and sends the header of OpenAI's beta: StepFun's models tell always."""

    async def thinking(messages: Sequence[Message], options: GenerationOptions) -> AsyncIterator[GenerationEvent]:
        yield ThinkingDelta("They greet me.")
        async for event in answer(messages, options):
            yield event

    model: Any = fake_server.core.engines.language_models["small"]
    answer = model.generate
    monkeypatch.setattr(model, "generate", thinking)
    async with plugin(fake_server, caplog) as talking:
        talking.speak(silence(300) + tone(1000) + silence(700))
        transcript = await asyncio.wait_for(talking.transcripts.get(), 10)
        assert transcript.transcript == "I heard 1000 milliseconds."
        assert transcript.is_final
        await heard(await asyncio.wait_for(talking.generations.get(), 10))
        assert talking.thoughts == "They greet me."
        (said, _) = talking.session.chat_ctx.items
        assert isinstance(said, llm.ChatMessage)
        assert (said.id, said.text_content) == (transcript.item_id, transcript.transcript)


async def test_it_meters_what_was_said(fake_server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    async with plugin(fake_server, caplog) as talking:
        metrics: asyncio.Queue[Any] = asyncio.Queue()
        talking.session.on("metrics_collected", metrics.put_nowait)
        talking.speak(silence(300) + tone(1000) + silence(700))
        _, samples = await heard(await asyncio.wait_for(talking.generations.get(), 10))
        counted = await asyncio.wait_for(metrics.get(), 10)
        assert counted.output_token_details.audio_tokens == ceil(samples / 24 / 40)
        assert counted.input_token_details.audio_tokens > 1000 / 80
        assert counted.total_tokens == counted.input_tokens + counted.output_tokens


async def test_it_can_demand_a_function(fake_server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    """It writes a function's bare name where StepFun has words only."""

    @function_tool
    async def lamp(on: bool) -> str:
        """Switches the lamp."""
        return "on" if on else "off"

    async with plugin(fake_server, caplog) as talking:
        await talking.session.update_tools([lamp])
        talking.session.update_options(tool_choice={"type": "function", "function": {"name": "lamp"}})
        await talking.add(llm.ChatMessage(role="user", content=["it is dark"]))
        asked = await talking.session.generate_reply()
        assert [call.name async for call in asked.function_stream] == ["lamp"]


async def test_it_calls_a_function(fake_server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    @function_tool
    async def lamp(on: bool) -> str:
        """Switches the lamp."""
        return f"the lamp is {'on' if on else 'off'}"

    async with plugin(fake_server, caplog) as talking:
        await talking.session.update_tools([lamp])
        await talking.add(llm.ChatMessage(role="user", content=['call lamp {"on": true}']))
        asked = await talking.session.generate_reply(instructions="Be brief.")
        assert asked.user_initiated
        (call,) = [call async for call in asked.function_stream]
        assert (call.name, call.arguments) == ("lamp", '{"on": true}')
        await talking.add(
            llm.FunctionCallOutput(call_id=call.call_id, name="lamp", output=await lamp(on=True), is_error=False)
        )
        words, samples = await heard(await talking.session.generate_reply())
        assert words == "You said: the lamp is on"
        assert samples
        kinds = [item.type for item in talking.session.chat_ctx.items]
        assert kinds == ["message", "function_call", "function_call_output", "message"]


async def test_it_is_interrupted(fake_server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    async with plugin(fake_server, caplog) as talking:
        await talking.add(llm.ChatMessage(role="user", content=[STORY]))
        generation = await talking.session.generate_reply()
        assert await talking.generations.get() is generation
        message = await anext(aiter(generation.message_stream))
        await anext(aiter(message.audio_stream))
        await asyncio.sleep(0.5)
        talking.speak(tone(600))
        await asyncio.wait_for(talking.interrupted.wait(), 5)
        rest = sum([frame.duration async for frame in message.audio_stream])  # it ends with the response
        assert rest < 4  # of the seventeen seconds it would have taken
        talking.session.truncate(message_id=message.message_id, modalities=["audio"], audio_end_ms=500)
        talking.speak(silence(700))
        answer = await asyncio.wait_for(talking.generations.get(), 5)
        assert not answer.user_initiated
        assert (await heard(answer))[0].startswith("You said: I heard ")


@pytest.mark.real
async def test_it_gets_a_spoken_reply_from_the_real_models(
    real_server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    words, samples = await asked_aloud(real_server, caplog, spoken("What is the capital of France?"))
    assert "Paris" in words
    assert samples > 24_000 * 0.3
