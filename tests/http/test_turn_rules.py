"""One answer a turn, interruptions and their end, over real sockets with fake engines: what needs a server to be seen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest

from running import RunningServer, Talker, running, silence, talking, tone
from vivavoce.config import load_config
from vivavoce.types import Samples, TranscribeOptions, Transcript, TranscriptDelta
from vivavoce.voice_facts import SpeechEncoding

LONG = "a story that takes a good while to tell " * 4


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server that waits for words only as long as it must."""
    with running(load_config({"turns": {"false_interruption_ms": 50}}, profile="fake")) as started:
        yield started


@pytest.fixture
def recognised(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The recogniser says nothing before this is set."""
    recognizer = server.core.engines.recognition._recognizer
    transcribe, may_speak = recognizer.transcribe, threading.Event()

    async def when_allowed(
        samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None]:
        await asyncio.to_thread(may_speak.wait)
        async for event in transcribe(samples, options):
            yield event

    monkeypatch.setattr(recognizer, "transcribe", when_allowed)
    yield may_speak
    may_speak.set()


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


async def in_writing(talker: Talker, text: str) -> tuple[str, list[dict[str, Any]]]:
    """Ask something in writing; the answer, and all events until it was there."""
    await talker.say(text)
    await talker.send(type="response.create", response={"modalities": ["text"]})
    events = await talker.until("response.text.done")
    return events[-1]["text"], events + await talker.until("response.done")


async def telling(talker: Talker) -> str:
    """A long reply has begun to be heard; its item."""
    await talker.say(LONG)
    await talker.send(type="response.create")
    item_id: str = (await talker.until("response.audio.delta"))[-1]["item_id"]
    return item_id


@pytest.mark.parametrize("typed", [False, True])
async def test_what_is_asked_for_before_the_transcript_is_the_only_answer(
    server: RunningServer, recognised: threading.Event, typed: bool
) -> None:
    async with talking(server) as talker:
        await talker.append(silence(300) + tone(700) + silence(600))
        await talker.until("input_audio_buffer.committed")
        if typed:
            await talker.say("and this")
        await talker.send(type="response.create")
        await talker.until("response.created")
        recognised.set()
        done = (await talker.until("response.done"))[-1]["response"]
        said = "and this" if typed else "I heard 700 milliseconds."
        assert done["output"][0]["content"][0]["transcript"] == f"You said: {said}"
        answer, events = await in_writing(talker, "next")
        assert answer == "You said: next"
        assert len(of(events, "response.created")) == 1


async def test_a_cancel_before_the_transcript_cancels_the_answer_to_come(
    server: RunningServer, recognised: threading.Event
) -> None:
    async with talking(server) as talker:
        await talker.append(silence(300) + tone(700) + silence(600))
        await talker.until("input_audio_buffer.committed")
        await talker.send(type="response.cancel")
        await talker.send(type="input_audio_buffer.clear")
        await talker.until("input_audio_buffer.cleared")
        recognised.set()
        events = await talker.until("conversation.item.input_audio_transcription.completed")
        answer, later = await in_writing(talker, "next")
        assert not of(events + later, "error")
        assert len(of(events + later, "response.created")) == 1
        assert answer == "You said: next"


@pytest.mark.parametrize("query", ["model=step-audio-2", "model=gpt-realtime"])
async def test_a_late_commit_makes_neither_an_item_nor_an_answer(server: RunningServer, query: str) -> None:
    async with talking(server, query) as talker:
        await talker.append(silence(300) + tone(700) + silence(600))
        await talker.until("response.done")
        await talker.append(silence(200))
        await talker.send(type="input_audio_buffer.commit")
        assert (await talker.until("error"))[-1]["error"]["code"] == "input_audio_buffer_commit_empty"


async def test_a_reply_does_not_come_back_over_the_voice_of_a_user_whose_words_are_not_known_yet(
    server: RunningServer, recognised: threading.Event
) -> None:
    async with talking(server) as talker:
        await telling(talker)
        await talker.append(tone(600))
        await talker.until("response.done")
        for _ in range(10):
            await talker.append(tone(100))
            await asyncio.sleep(0.02)  # as a microphone does; five times as long as the server waits for words
        await talker.append(silence(600))
        events = await talker.until("input_audio_buffer.committed")
        recognised.set()
        events += await talker.until("response.created")
        kinds = [event["type"] for event in events]
        assert kinds.index("conversation.item.input_audio_transcription.completed") < kinds.index("response.created")
        assert not of(events, "response.audio.delta")
        answer = (await talker.until("response.done"))[-1]["response"]["output"][0]
        assert answer["content"][0]["transcript"].startswith("You said: I heard 1")


async def test_speech_of_fewer_words_than_the_client_wants_lets_the_reply_go_on(server: RunningServer) -> None:
    async with talking(server) as talker:
        vad = {"type": "server_vad", "silence_duration_ms": 200, "interruption": {"min_words": 5}}
        await talker.send(type="session.update", session={"turn_detection": vad})
        await telling(talker)
        await talker.append(tone(300) + silence(400))
        cut = (await talker.until("response.done"))[-1]["response"]
        events = await talker.until("response.created")
        transcript = of(events, "conversation.item.input_audio_transcription.completed")[0]["transcript"]
        assert transcript == "I heard 300 milliseconds."
        assert of(events, "conversation.item.deleted")
        rest = (await talker.until("response.done"))[-1]["response"]
        assert (cut["status"], rest["status"]) == ("cancelled", "completed")
        words = [part["output"][0]["content"][0]["transcript"].strip() for part in (cut, rest)]
        assert " ".join(words).strip() == f"You said: {LONG}".strip()
