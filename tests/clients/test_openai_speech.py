"""openai-python's `audio.speech` against the running server: files, streams, events, errors, and StepFun's extras."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import APIStatusError, BadRequestError, OpenAI, RateLimitError

from running import RunningServer
from vivavoce.audio.recordings import RawFormat, read_recording

TEXT = "Hello there. How are you today?"


@pytest.fixture(scope="module")
def openai(fake_server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{fake_server.http}/v1", api_key="unused", max_retries=0) as client:
        yield client


def seconds(data: bytes, raw: RawFormat | None = None) -> float:
    return len(read_recording(data, rate_hz=24_000, max_s=60, raw=raw)) / 24_000


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac", "wav"])
def test_create(openai: OpenAI, format: str, tmp_path: Path) -> None:
    speech = openai.audio.speech.create(
        model="gpt-4o-mini-tts",
        voice="alloy",
        input=TEXT,
        response_format=format,  # type: ignore[arg-type]
        instructions="Sound like a man from Cornwall.",
        speed=0.25,
    )
    speech.write_to_file(tmp_path / "speech")
    assert seconds((tmp_path / "speech").read_bytes()) == pytest.approx(6.0, abs=0.3)
    assert speech.response.headers["x-vivavoce-not-applied"] == "instruction"


def test_streaming(openai: OpenAI) -> None:
    with openai.audio.speech.with_streaming_response.create(
        model="tts-1", voice="nova", input=TEXT * 20, response_format="pcm"
    ) as response:
        assert response.headers["content-type"] == "audio/pcm"
        pieces = list(response.iter_bytes(4800))
    assert seconds(b"".join(pieces), RawFormat(24_000)) == pytest.approx(30, abs=1)


def test_events(openai: OpenAI) -> None:
    with openai.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="marin", input=TEXT, stream_format="sse"
    ) as response:
        lines = [line for line in response.iter_lines() if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert lines[-1] == "data: [DONE]"
    assert {event["type"] for event in events} == {"speech.audio.delta", "speech.audio.done"}
    assert events[-1]["usage"]["total_tokens"] > 0


def test_the_extras_of_stepfun(openai: OpenAI) -> None:
    """As its guide has them: what OpenAI's client does not know goes through `extra_body`."""
    extras = {
        "volume": 0.5,
        "sample_rate": 8000,
        "voice_label": {"style": "老年"},
        "pronunciation_map": {"tone": ["LOL/laugh"]},
    }
    speech = openai.audio.speech.create(
        model="step-tts-2", voice="cixingnansheng", input="LOL", response_format="wav", extra_body=extras
    )
    assert int.from_bytes(speech.content[24:28], "little") == 8000
    assert speech.response.headers["x-vivavoce-not-applied"] == "voice_label.style"


def test_errors_are_those_of_the_client(openai: OpenAI) -> None:
    with pytest.raises(BadRequestError) as refused:
        openai.audio.speech.create(model="tts-1", voice="alloy", input="x" * 4097)
    assert refused.value.param == "input"
    with pytest.raises(APIStatusError) as unknown:
        openai.audio.speech.create(model="nonsense", voice="alloy", input="x")
    assert (unknown.value.status_code, unknown.value.code) == (404, "model_not_found")


def test_too_many_requests(openai: OpenAI, fake_server: RunningServer) -> None:
    places = [fake_server.core.request_slots.take() for _ in range(fake_server.core.request_slots.capacity)]
    try:
        with pytest.raises(RateLimitError) as refused:
            openai.audio.speech.create(model="tts-1", voice="alloy", input="x")
        assert refused.value.response.headers["retry-after"]
    finally:
        for place in places:
            fake_server.core.request_slots.give_back(place)
