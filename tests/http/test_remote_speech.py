"""Conversations whose recogniser, speaker or embedder runs elsewhere: what becomes of them when it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import ValidationError

from http_checks import metric, readiness
from openai_stub import Asked, HangUp, Pause, Script, Step, Stub, running_stub, status, streamed, whole
from running import RunningServer, running, talking, tone
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.config import Config, load_config
from vivavoce.config.engines import FAKE_ENGINES

FAST = {"first_s": 1.5, "between_s": 1.0, "retries": 0, "failures": 2, "pause_s": 0.2}


def always(steps: list[Step]) -> Script:
    return lambda asked: steps


SOUND = streamed(encode_pcm16((np.sin(np.arange(24_000) / 10) * 0.3).astype(np.float32)), content_type="audio/pcm")


def fine(asked: Asked) -> list[Step]:
    """What a request is answered with where nothing is wrong."""
    if asked.path.endswith("/embeddings"):
        return whole({"data": [{"index": n, "embedding": [0.5] * 8} for n in range(len(asked.json["input"]))]})
    return SOUND if asked.path.endswith("/speech") else whole({"text": "How far is the moon?"})


FAULTS: dict[str, list[Step]] = {
    "stall": [Pause(30)],
    "half an answer": [b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"text": "How', HangUp()],
    "429": status(429, {}, retry_after="30"),
    "500": status(500, {"error": {"message": "sk-very-secret"}}),
    "wrong JSON": whole(b"{nonsense"),
    "closed connection": [HangUp()],
}


def configured(url: str, *, fallback: str | None = None, **engines: Any) -> Config:
    settings = {"url": url, "model": "served", "api_key": "sk-very-secret", **FAST}
    instances = {
        "ears": {"engine": "openai", "settings": settings} | ({"fallback": fallback} if fallback else {}),
        "mouth": {"engine": "openai", "settings": {**settings, "voices": ["alloy"], "stand_ins": {}}},
        "reader": {"engine": "openai", "settings": {**settings, "dimensions": 8}},
    }
    values = {**FAKE_ENGINES.model_dump(), "instances": instances, **engines}
    return load_config({"limits": {"sessions": 2}, "engines": values})


@contextmanager
def served(*, fallback: str | None = None, **engines: Any) -> Iterator[tuple[RunningServer, Stub]]:
    with running_stub(fine) as stub, running(configured(stub.url, fallback=fallback, **engines)) as server:
        yield server, stub


async def turn(server: RunningServer) -> tuple[str, str]:
    """What a turn by push-to-talk ended with (the kind of its transcription event), and its words or its error."""
    async with talking(server) as talker:
        await talker.send(type="session.update", session={"turn_detection": None})
        await talker.append(tone(900))
        started = time.monotonic()
        await talker.send(type="input_audio_buffer.commit")
        while True:
            event = await talker.next()
            if event["type"].endswith(("transcription.completed", "transcription.failed")):
                break
        assert time.monotonic() - started < 5
        await talker.say("Still there?")  # the session lives on
        await talker.send(type="response.create")
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"
    kind = event["type"].rpartition(".")[2]
    return kind, event["transcript"] if kind == "completed" else event["error"]["message"]


# ---- recognisers


@pytest.fixture(scope="module")
def hearing() -> Iterator[tuple[RunningServer, Stub]]:
    with served(recognizer="ears") as both:
        yield both


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_recogniser_fails_the_transcript_and_nothing_else(
    hearing: tuple[RunningServer, Stub], fault: str
) -> None:
    server, stub = hearing
    await asyncio.sleep(0.25)  # a breaker that opened is closed again
    stub.answers(always(FAULTS[fault]))
    kind, message = await turn(server)
    assert kind == "failed"
    assert message.startswith("ears: ")
    assert not any(secret in message for secret in ("sk-very", "127.0.0.1", str(stub.port)))
    stub.answers(fine)
    await asyncio.sleep(0.25)
    assert await turn(server) == ("completed", "How far is the moon?")
    assert server.all_seats_free()


async def test_another_recogniser_hears_while_it_is_away(caplog: pytest.LogCaptureFixture) -> None:
    with served(recognizer="ears", fallback="fake") as (server, stub):
        assert await turn(server) == ("completed", "How far is the moon?")
        assert metric(server, 'vivavoce_fallbacks_total{recognizer="ears"}') == "0"
        for fault in ("500", "stall", "closed connection"):
            stub.answers(always(FAULTS[fault]))
            kind, text = await turn(server)
            assert (kind, text != "How far is the moon?", bool(text)) == ("completed", True, True)
        assert "'fake' hears in place of 'ears'" in caplog.text
        assert metric(server, 'vivavoce_fallbacks_total{recognizer="ears"}') == "3"
        assert readiness(server)[1] in ("ready", "degraded")
    with running(configured("http://127.0.0.1:9/v1", fallback="fake", recognizer="ears")) as server:
        code, state, checks = readiness(server)
        assert (code, state) == (200, "degraded")
        assert checks["engine ears"] == {"ok": False, "reason": "cannot be reached"}
        assert (await turn(server))[0] == "completed"


async def test_a_transcript_that_had_begun_is_not_taken_over() -> None:
    begun = streamed(b'data: {"type": "transcript.text.delta", "delta": "How far"}\n\n', HangUp())
    with served(recognizer="ears", fallback="fake") as (server, stub):
        stub.answers(always(begun))
        kind, message = await turn(server)
        assert (kind, "in the middle" in message) == ("failed", True)


def test_what_has_no_fallback_says_why() -> None:
    for engines, message in (
        ({"embedder": "reader"}, "only recognisers have one; the vectors of one embedder cannot be compared"),
        ({"speakers": ["reader"]}, "only recognisers have one; the next of the 'speakers' speaks"),
    ):
        instances = {"reader": {"engine": "openai", "fallback": "fake"}}
        with pytest.raises(ValidationError, match=message):
            load_config({"engines": {**FAKE_ENGINES.model_dump(), "instances": instances, **engines}})
    for other, message in (("ears", "cannot stand in for itself"), ("far", "has a fallback itself")):
        instances = {
            "ears": {"engine": "fake", "fallback": other},
            "far": {"engine": "fake", "fallback": "fake"},
        }
        with pytest.raises(ValidationError, match=message):
            load_config({"engines": {**FAKE_ENGINES.model_dump(), "instances": instances, "recognizer": "ears"}})


# ---- speakers


async def spoken(server: RunningServer) -> dict[str, Any]:
    async with talking(server) as talker:
        await talker.send(type="session.update", session={"voice": "alloy"})
        await talker.say("Hello there")
        await talker.send(type="response.create")
        events = await talker.until("response.done")
        response: dict[str, Any] = events[-1]["response"]
        response["sound"] = sum(len(event["delta"]) for event in events if event["type"] == "response.audio.delta")
    return response


@pytest.mark.parametrize("fault", ["stall", "429", "500", "closed connection"])
async def test_the_next_speaker_speaks_where_one_fails(fault: str) -> None:
    with served(speakers=["mouth", "fake"]) as (server, stub):
        stub.answers(always(FAULTS[fault]))
        done = await spoken(server)
        assert (done["status"], done["sound"] > 0) == ("completed", True)
        assert int(metric(server, 'vivavoce_fallbacks_total{speaker="mouth"}')) > 0


async def test_a_speaker_that_breaks_off_leaves_the_session_alive() -> None:
    with served(speakers=["mouth"]) as (server, stub):
        stub.answers(always([*SOUND[:2], HangUp()]))
        await spoken(server)
        stub.answers(fine)
        await asyncio.sleep(0.25)
        done = await spoken(server)
        assert (done["status"], done["sound"] > 0) == ("completed", True)
        assert server.all_seats_free()


# ---- embedders


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_embedder_is_said(reading: tuple[RunningServer, Stub], fault: str) -> None:
    server, stub = reading
    time.sleep(0.25)
    stub.answers(always(FAULTS[fault]))
    started = time.monotonic()
    answer = httpx.post(
        f"{server.http}/v1/embeddings", json={"model": "text-embedding-3-small", "input": "a"}, timeout=10
    )
    assert time.monotonic() - started < 5
    assert answer.status_code >= 500
    message = answer.json()["error"]["message"]
    assert "reader" in message
    assert not any(secret in message for secret in ("sk-very", "127.0.0.1"))
    stub.answers(fine)
    time.sleep(0.25)
    answer = httpx.post(f"{server.http}/v1/embeddings", json={"model": "text-embedding-3-small", "input": "a"})
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def reading() -> Iterator[tuple[RunningServer, Stub]]:
    with served(embedder="reader", intent_embedder="fake") as both:
        yield both
