"""The perceiver behind an endpoint: what it is asked, what is taken from its answer, and what is not."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest

from vivavoce.engines.audio_model import AudioModelPerceiver, AudioModelSettings
from vivavoce.errors import EngineError
from vivavoce.voice_facts import Perceived, PerceiveOptions

SAMPLES = (np.sin(np.arange(16_000) / 20) * 0.3).astype(np.float32)
SETTINGS = AudioModelSettings(url="http://example.com/v1", model="listener")


async def perceived(answer: Any, asked: list[dict[str, Any]], status: int = 200, *, emotion: bool = True) -> Perceived:
    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        content = answer if isinstance(answer, str) else json.dumps(answer)
        return httpx.Response(status, json={"choices": [{"message": {"content": content}}]})

    client = httpx.AsyncClient(base_url=SETTINGS.url, transport=httpx.MockTransport(answered))
    perceiver = AudioModelPerceiver(SETTINGS, client)
    try:
        return await perceiver.perceive(SAMPLES, 16_000, None, PerceiveOptions(emotion=emotion))
    finally:
        await perceiver.close()


async def test_the_audio_is_sent_with_a_schema_and_the_answer_is_taken_over() -> None:
    asked: list[dict[str, Any]] = []
    found = await perceived(
        {"language": {"label": "zh", "score": 0.9}, "emotion": {"label": "sad", "score": 0.8},
         "sounds": [{"label": "Dog", "score": 0.6}, {"label": "Rain", "score": 3}]},
        asked,
    )  # fmt: skip
    assert found.emotion is not None
    assert (found.emotion.label, found.emotion.source) == ("sad", "listener")
    assert found.language is not None
    assert [sound.label for sound in found.sounds] == ["Dog"]
    assert found.prosody is not None
    [body] = asked
    audio = body["messages"][0]["content"][1]["input_audio"]
    assert base64.b64decode(audio["data"])[:4] == b"RIFF"
    assert "emotion" in body["response_format"]["json_schema"]["schema"]["properties"]


@pytest.mark.parametrize(
    "answer", [{}, {"emotion": {"label": "sad", "score": 0.4}}, {"emotion": {"label": "sad", "score": 7}}]
)
async def test_what_is_not_sure_is_absent(answer: dict[str, Any]) -> None:
    assert (await perceived(answer, [])).emotion is None


async def test_an_emotion_is_neither_asked_for_nor_taken_where_it_must_not_be() -> None:
    asked: list[dict[str, Any]] = []
    found = await perceived({"emotion": {"label": "sad", "score": 0.99}}, asked, emotion=False)
    assert found.emotion is None
    assert "emotion" not in asked[0]["response_format"]["json_schema"]["schema"]["properties"]


@pytest.mark.parametrize(
    ("answer", "status"), [("They sound sad.", 200), ({"emotion": {"label": "bored", "score": 1}}, 200), ({}, 500)]
)
async def test_an_answer_that_does_not_fit_is_an_error(answer: Any, status: int) -> None:
    with pytest.raises(EngineError):
        await perceived(answer, [], status)
