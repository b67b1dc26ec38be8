"""A conversation with a model that speaks in tokens, from the user's sound to the vocoder's: a scripted server with the wire of
StepFun's vLLM, and token2wav in its process, with tiny weights.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'vivavoce[token2wav]'")

from audio_chats import FAST, FIELDS, SPOKEN, always, ask, pcm, tts, words
from engines.token2wav.test_decoder import clip
from engines.token2wav.tiny import make_token2wav
from openai_stub import Pause, Stub, running_stub, streamed
from running import RunningServer, running, silence, talking, tone
from vivavoce.config import load_config
from vivavoce.engines.token2wav.decoder import TOKEN_SAMPLES, Token2WavDecoder

TIER = "step-audio-2-mini"
TOKENS = 50
LONG = "One two three four five six seven eight nine ten. " * 8
TOKENS_PER_WORD = 8


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Stub]:
    with running_stub(always(SPOKEN)) as served:
        served.extra_fields |= FIELDS
        yield served


@pytest.fixture(scope="module")
def server(elsewhere: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("token2wav")
    settings = {"url": elsewhere.url, "model": "served", "family": "step-audio-2", **FAST}
    vocoder = {
        "folder": str(make_token2wav(folder / "files")),
        "voices": {"low": str(clip(folder / "low.wav", 110))},
        "chunk_tokens": 10,
    }
    engines = {
        **load_config(profile="fake").engines.model_dump(),
        "audio_chats": {"mini": {"decoder": "token2wav", "settings": settings}},
        "settings": {"token2wav": vocoder},
    }
    with running(load_config({"engines": engines, "tiers": {"served_by": {TIER: {"audio_chat": "mini"}}}})) as started:
        yield started


async def test_its_tokens_are_heard(server: RunningServer) -> None:
    async with talking(server, f"model={TIER}") as talker:
        await talker.next()
        events = await ask(talker)
    assert words(events) == "It is far."
    samples = np.frombuffer(pcm(events), "<i2")
    assert len(samples) == TOKENS * TOKEN_SAMPLES
    assert samples.std() > 0


async def becomes(holds: Callable[[], bool], within_s: float = 10.0) -> bool:
    for _ in range(int(within_s / 0.02)):
        if holds():
            return True
        await asyncio.sleep(0.02)
    return holds()


async def test_speaking_into_it_stops_the_far_stream_and_the_vocoder(server: RunningServer, elsewhere: Stub) -> None:
    decoder = cast(Token2WavDecoder, server.core.engines.token_decoders["token2wav"].engine)  # type: ignore[attr-defined]
    running_before = decoder._process.pid
    spoken = [step for word in LONG.split() for step in (tts(word + " ", TOKENS_PER_WORD), Pause(0.02))]
    elsewhere.asked.clear()
    elsewhere.answers(always(streamed(*spoken, Pause(20))), always(SPOKEN))
    async with talking(server, f"model={TIER}") as talker:
        await talker.next()
        await talker.append(silence(300) + tone(800) + silence(1200))
        begun = await talker.until("response.audio.delta")
        assert decoder._replies
        assert not elsewhere.posts()[0].closed_early.is_set()
        await talker.append(tone(800))
        ended = await talker.until("response.done")
        assert ended[-1]["response"]["status"] == "cancelled"
        assert ended[-1]["response"]["status_details"]["reason"] == "turn_detected"
        assert len(pcm([*begun, *ended])) // 2 < len(LONG.split()) * TOKENS_PER_WORD * TOKEN_SAMPLES / 2
        assert await becomes(elsewhere.posts()[0].closed_early.is_set)
        assert await becomes(lambda: not decoder._replies)
        await talker.append(silence(1200))
        assert words(await talker.until("response.done")) == "It is far."
    assert decoder._process.pid == running_before
    assert server.all_seats_free()
