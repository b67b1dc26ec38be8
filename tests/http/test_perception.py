"""What is heard in a voice, and thinking beside the words, over real sockets with fake engines."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import urllib.request
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

from chatting import stream
from running import RunningServer, silence, talking, tone
from vivavoce.audio.encoding import encode
from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.perception.notes import EMOTIONS
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, TextDelta

COMPLETED = "conversation.item.input_audio_transcription.completed"
SHOUTED = 1.0
WORD_S = 0.01


async def spoken(server: RunningServer, query: str, **session: Any) -> list[dict[str, Any]]:
    """The events of one turn by voice, until its response is done."""
    async with talking(server, query) as talker:
        await talker.next()
        if session:
            await talker.send(type="session.update", session=session)
            await talker.until("session.updated")
        await talker.append(silence(300) + tone(900, SHOUTED) + silence(700))
        return await talker.until("response.done")


@pytest.mark.parametrize("model", ["step-audio-2", "step-audio-r1.1"])
async def test_stepfuns_clients_are_told_how_a_turn_sounds_after_its_transcript(
    server: RunningServer, model: str
) -> None:
    events = await spoken(server, f"model={model}")
    names = [event["type"] for event in events]
    assert names.index(COMPLETED) < names.index("voice.perception") < names.index("response.output_item.added")
    heard = events[names.index("voice.perception")]
    assert heard["item_id"] == next(event["item_id"] for event in events if event["type"] == COMPLETED)
    assert heard["emotion"]["label"] == "angry"
    assert heard["emotion"]["score"] == 0.97
    assert heard["note"] == EMOTIONS["en"]["angry"]
    assert "gender" not in heard
    assert "facts" not in heard


@pytest.mark.parametrize("model", ["step-audio-2-mini", "step-1o-audio", "gpt-realtime"])
async def test_others_are_not_told_unless_they_ask(server: RunningServer, model: str) -> None:
    events = await spoken(server, f"model={model}")
    assert "voice.perception" not in [event["type"] for event in events]


@pytest.mark.parametrize("model", ["step-audio-2-mini", "gpt-realtime"])
async def test_who_asks_is_told_in_any_dialect(server: RunningServer, model: str) -> None:
    session: dict[str, Any] = {"include": ["voice.perception"]}
    if model == "gpt-realtime":
        session["type"] = "realtime"
    events = await spoken(server, f"model={model}", **session)
    assert [event["emotion"]["label"] for event in events if event["type"] == "voice.perception"] == ["angry"]


async def test_the_users_item_carries_what_was_heard(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.next()
        await talker.append(silence(300) + tone(900, SHOUTED) + silence(700))
        heard = (await talker.until("voice.perception"))[-1]
        await talker.send(type="conversation.item.retrieve", item_id=heard["item_id"])
        item = (await talker.until("conversation.item.retrieved"))[-1]["item"]
    assert item["metadata"]["perception"]["emotion"]["label"] == "angry"


class Attentive(FakeLanguageModel):
    """Keeps the prompts it got, but for prefills."""

    def __init__(self) -> None:
        super().__init__(4)
        self.prompts: list[tuple[Message, ...]] = []

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        if options.max_tokens:
            self.prompts.append(tuple(messages))
        async for event in super().generate(messages, options):
            yield event


async def test_the_language_model_is_told_behind_the_users_turn(server: RunningServer) -> None:
    model = Attentive()
    with server.with_model(model):
        await spoken(server, "model=step-audio-2")
    assert [message.role for message in model.prompts[0][-2:]] == ["user", "system"]
    assert model.prompts[0][-1].content == EMOTIONS["en"]["angry"]


async def test_chat_tells_of_the_last_recording(server: RunningServer) -> None:
    samples = (np.frombuffer(tone(900, SHOUTED), "<i2") / 32768).astype(np.float32)
    audio = {"data": base64.b64encode(encode(samples, "wav", 24_000)).decode(), "format": "wav"}
    content = [{"type": "input_audio", "input_audio": audio}]
    for model, extra, told in (
        ("step-audio-2", {}, True),
        ("step-audio-2", {"perception": False}, False),
        ("gpt-audio", {}, False),
        ("gpt-audio", {"perception": True}, True),
    ):
        body = {"model": model, "messages": [{"role": "user", "content": content}], **extra}
        message = (await asyncio.to_thread(_post, f"{server.http}/v1/chat/completions", body))["choices"][0]["message"]
        assert ("perception" in message) == told
        if told:
            assert message["perception"]["emotion"]["label"] == "angry"


class Reciting(FakeLanguageModel):
    """Reads aloud what it is told of the turn; where it is told nothing, it offers help."""

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        told = next((message.content for message in messages if message.hint), "How can I help?")
        yield TextDelta(told)
        yield GenerationEnd("stop", 5, 0, 5)


@pytest.mark.parametrize("door", ["realtime", "chat"])
async def test_what_the_model_is_told_of_a_voice_is_no_answer(server: RunningServer, door: str) -> None:
    with server.with_model(Reciting(4)):
        if door == "realtime":
            events = await spoken(server, "model=step-audio-2")
            assert EMOTIONS["en"]["angry"] in [event.get("note") for event in events]
            words = events[-1]["response"]["output"][0]["content"][0]["transcript"]
        else:
            samples = (np.frombuffer(tone(900, SHOUTED), "<i2") / 32768).astype(np.float32)
            audio = {"data": base64.b64encode(encode(samples, "wav", 24_000)).decode(), "format": "wav"}
            content = [{"type": "input_audio", "input_audio": audio}]
            body = {"model": "step-audio-2", "messages": [{"role": "user", "content": content}]}
            answer = await asyncio.to_thread(_post, f"{server.http}/v1/chat/completions", body)
            assert answer["choices"][0]["message"]["perception"]["note"] == EMOTIONS["en"]["angry"]
            words = answer["choices"][0]["message"]["content"]
    assert words == "How can I help?"


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        parsed: dict[str, Any] = json.load(answer)
    return parsed


class Slow(FakeLanguageModel):
    """Thinks and speaks a word at a time; ``running`` counts what it is at."""

    def __init__(self, words: int = 60) -> None:
        super().__init__(4)
        self.running = 0
        self.stopped_at = 0.0
        self._words = words

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        notes, _, said = messages[-1].content.partition("“")
        thinks = not said and "sentence" not in notes
        self.running += 1
        try:
            begun = len(notes.removeprefix("Notes:").split() if thinks else said.split())
            words = self._words if thinks else self._words // 3
            for number in range(begun, min(words, options.max_tokens)):
                await asyncio.sleep(WORD_S)
                yield TextDelta(f"step{number} " if thinks else f"{chr(ord('A') + number % 26)}y. ")
            yield GenerationEnd("length" if self._words > options.max_tokens else "stop", 5, 0, self._words)
        finally:
            self.running -= 1
            self.stopped_at = time.monotonic()


async def test_thoughts_and_audio_are_interleaved_in_time(server: RunningServer) -> None:
    with server.with_model(Slow()):
        events = await spoken(server, "model=step-audio-r1.1")
    kinds = {"response.thinking.delta": "thought", "response.audio.delta": "audio"}
    order = [kinds[event["type"]] for event in events if event["type"] in kinds]
    first_audio = order.index("audio")
    assert "thought" in order[:first_audio]
    assert "thought" in order[first_audio:]
    [done] = [event for event in events if event["type"] == "response.thinking.done"]
    assert done["content_index"] == 0
    assert done["thinking"].startswith("step0 step1 ")
    message = events[-1]["response"]["output"][0]
    assert [part["type"] for part in message["content"]] == ["thinking", "audio"]
    assert "step" not in message["content"][1]["transcript"]


async def test_clients_of_openais_dialect_are_told_thoughts_if_they_ask(server: RunningServer) -> None:
    """Two events between the audio deltas in time; items and indices are as if there were no thoughts."""
    with server.with_model(Slow()):
        events = await spoken(server, "model=step-audio-r1.1", type="realtime", include=["response.thinking"])
    kinds = {"response.thinking.delta": "thought", "response.output_audio.delta": "audio"}
    order = [kinds[event["type"]] for event in events if event["type"] in kinds]
    assert "thought" in order[order.index("audio") :]
    [done] = [event for event in events if event["type"] == "response.thinking.done"]
    assert done["thinking"].startswith("step0 step1 ")
    assert "requested" not in done
    audio = next(event for event in events if event["type"] == "response.output_audio.delta")
    assert audio["content_index"] == 0
    assert [part["type"] for part in events[-1]["response"]["output"][0]["content"]] == ["output_audio"]


async def test_speaking_into_it_stops_thinking_and_speaking_within_150_ms(server: RunningServer) -> None:
    model = Slow(300)
    with server.with_model(model):
        async with talking(server, "model=step-audio-r1.1") as talker:
            await talker.next()
            await talker.append(silence(300) + tone(900) + silence(700))
            await talker.until("response.audio.delta")
            assert model.running >= 1  # of the two streams, one may be over on a busy machine
            await talker.send(type="response.cancel")
            cancelled_at = time.monotonic()
            await talker.until("response.done")
            async with asyncio.timeout(5):
                while model.running:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            assert model.stopped_at - cancelled_at < 0.15


async def test_openais_clients_see_no_thoughts_and_chat_has_them_in_both_spellings(server: RunningServer) -> None:
    with server.with_model(Slow(8)):
        events = await spoken(server, "model=gpt-realtime")
        assert not [event for event in events if "thinking" in event["type"]]
        for format, field in (("general", "reasoning"), ("deepseek-style", "reasoning_content")):
            body = {
                "model": "step-audio-r1.1",
                "messages": [{"role": "user", "content": "What is two and two?"}],
                "reasoning_format": format,
            }
            answer = await asyncio.to_thread(_post, f"{server.http}/v1/chat/completions", body)
            message = answer["choices"][0]["message"]
            assert message[field].startswith("step0 ")
            assert message["content"].startswith("Ay.")
            assert answer["usage"]["completion_tokens"] > len(message["content"].split())
            chunks = (await asyncio.to_thread(stream, server, body)).chunks
            deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
            assert "".join(delta[field] for delta in deltas if field in delta) == message[field]
            body["reasoning_effort"] = "none"
            answer = await asyncio.to_thread(_post, f"{server.http}/v1/chat/completions", body)
            assert field not in answer["choices"][0]["message"]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_a_chat_may_ask_how_an_answer_was_come_by(server: RunningServer, field: str) -> None:
    model = Attentive()
    for question, told in (("How did you get there?", True), ("And what is four and four?", False)):
        messages = [
            {"role": "user", "content": "What is two and two and two?"},
            {"role": "assistant", "content": "It is six.", field: "two and two are four, and two are six"},
            {"role": "user", "content": question},
        ]
        with server.with_model(model):
            body = {"model": "step-audio-2", "messages": messages}
            await asyncio.to_thread(_post, f"{server.http}/v1/chat/completions", body)
        thoughts = [message for message in model.prompts[-1] if "two are four" in message.content]
        assert [message.role for message in thoughts] == (["system"] if told else [])
