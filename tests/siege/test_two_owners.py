"""Two owners, one greedy in everything at once: the other is never refused, and answered at most 1.5 times later."""

from __future__ import annotations

import asyncio
import base64
import statistics
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import pytest

from running import RunningServer, Talker, running, talking, tone
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeLanguageModel, FakeRecognizer
from vivavoce.runtime.recognition import Recognition
from vivavoce.types import (
    GenerationEvent,
    GenerationOptions,
    Message,
    Samples,
    TranscribeOptions,
    Transcript,
    TranscriptDelta,
)
from voicing import file_of, hum

KEYS = {"greedy": "key-of-the-greedy", "other": "key-of-the-other"}
ITEM_S = 24
READING_COSTS = 0.02
"""Seconds a second of audio takes the recogniser: an item of the greedy one takes half a second as a whole."""
ATTEMPTS = 3
"""Whoever is served late because of another is so each time; a busy machine is late now and then."""


class SlowRecognizer(FakeRecognizer):
    """One thing at a time, as long as it takes."""

    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        await asyncio.sleep(len(samples) / self.rate_hz * READING_COSTS)
        async for event in super().transcribe(samples, options):
            yield event


class SlowLanguageModel(FakeLanguageModel):
    """Takes its time before it begins."""

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        if options.max_tokens:
            await asyncio.sleep(0.4)
        async for event in super().generate(messages, options):
            yield event


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": KEYS}}, profile="fake")) as started:
        model = SlowLanguageModel(4)
        with started.with_engines(
            recognition=Recognition(SlowRecognizer()), language_models={"large": model, "small": model}
        ):
            yield started


async def answered_in(talker: Talker) -> float:
    """Seconds from the end of a turn to its answer, in writing."""
    for _ in range(5):
        await talker.append(tone(300))
        await asyncio.sleep(0.06)
    begun = time.monotonic()
    await talker.send(type="input_audio_buffer.commit")
    await talker.send(type="response.create")
    assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"
    return time.monotonic() - begun


@asynccontextmanager
async def conversation(server: RunningServer, name: str) -> AsyncIterator[Talker]:
    async with talking(server, f"model=step-audio-2&api_key={KEYS[name]}") as talker:
        await talker.next()
        await talker.send(type="session.update", session={"turn_detection": None, "modalities": ["text"]})
        await talker.until("session.updated")
        yield talker


async def other(server: RunningServer, http: httpx.AsyncClient) -> list[float]:
    """How long the other owner waits for answers; they also transcribe, embed, upload and make secrets meanwhile."""
    async with conversation(server, "other") as talker:
        waits = [await answered_in(talker) for _ in range(5)]
    files = {"file": ("a.wav", file_of(hum(200)))}
    answers = [
        await http.post("/audio/transcriptions", files=files, data={"model": "whisper-1"}),
        await http.post("/embeddings", json={"model": "text-embedding-3-small", "input": "hello"}),
        await http.post("/realtime/client_secrets", json={}),
        await http.post("/files", data={"purpose": "file-extract"}, files={"file": ("a.txt", b"Hello there.")}),
        await http.post("/audio/speech", json={"model": "step-tts-2", "input": "Hello.", "voice": "marin"}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5, [answer.text[:200] for answer in answers]
    return waits


async def greedy(server: RunningServer, http: httpx.AsyncClient, going: asyncio.Event) -> None:
    """Everything at once, again and again, until cancelled; refusals do not stop it."""
    recording = file_of(hum(ITEM_S * 1000))
    audio = base64.b64encode(tone(ITEM_S * 1000)).decode()

    async def again(path: str, **body: object) -> None:
        while True:
            with suppress(httpx.TransportError):
                await http.post(path, **body)  # type: ignore[arg-type]
            await asyncio.sleep(0.05)

    async with AsyncExitStack() as stack:
        talkers = [await stack.enter_async_context(conversation(server, "greedy")) for _ in range(3)]
        for talker in talkers[:1]:
            for _ in range(20):
                part = {"type": "input_audio", "audio": audio}
                await talker.send(
                    type="conversation.item.create", item={"type": "message", "role": "user", "content": [part]}
                )
        files = {"file": ("a.wav", recording)}
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(again("/audio/transcriptions", files=files, data={"model": "whisper-1"}))
            group.create_task(again("/embeddings", json={"model": "text-embedding-3-small", "input": ["x"] * 200}))
            group.create_task(again("/realtime/client_secrets", json={}))
            group.create_task(
                again("/files", data={"purpose": "file-extract"}, files={"file": ("a.txt", b"Hello. " * 1000)})
            )
            going.set()


async def test_a_greedy_owner_costs_another_little(server: RunningServer) -> None:
    def client(name: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"{server.http}/v1", headers={"Authorization": f"Bearer {KEYS[name]}"}, timeout=60
        )

    async with client("greedy") as theirs, client("other") as mine:
        for _ in range(ATTEMPTS):
            alone, besieged = await alone_and_besieged(server, theirs, mine)
            if besieged <= 1.5 * alone:
                return
    raise AssertionError((besieged, alone))


async def alone_and_besieged(
    server: RunningServer, theirs: httpx.AsyncClient, mine: httpx.AsyncClient
) -> tuple[float, float]:
    """How long the other owner waits for an answer, in the middle."""
    alone = statistics.median(await other(server, mine))
    going = asyncio.Event()
    besieging = asyncio.create_task(greedy(server, theirs, going))
    await asyncio.wait({besieging, waiting := asyncio.create_task(going.wait())}, return_when="FIRST_COMPLETED")
    try:
        assert waiting.done(), besieging.exception()
        return alone, statistics.median(await other(server, mine))
    finally:
        besieging.cancel()
        with suppress(asyncio.CancelledError):
            await besieging
