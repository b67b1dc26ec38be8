"""A conversation with a model that speaks in tokens, from the user's sound to the vocoder's: a scripted server with the wire of
StepFun's vLLM, and token2wav in its process, with tiny weights.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'vivavoce[token2wav]'")

from audio_chats import FAST, FIELDS, SPOKEN, always, ask, pcm, words
from engines.token2wav.test_decoder import clip
from engines.token2wav.tiny import make_token2wav
from openai_stub import Stub, running_stub
from running import RunningServer, running, talking
from vivavoce.config import load_config
from vivavoce.engines.token2wav.decoder import TOKEN_SAMPLES

TIER = "step-audio-2-mini"
TOKENS = 50


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
