"""WS /v1/realtime/audio against the running server: the documented order, formats, errors, and clients that vanish."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from running import RunningServer, holding, running
from vivavoce.audio.recordings import RawFormat, read_recording
from vivavoce.config import load_config
from vivavoce.http import speech_socket
from vivavoce.types import Samples

PATH = "/v1/realtime/audio?model=step-tts-2"
VOICE = {"voice_id": "wenrounansheng"}


class Narrator:
    """A client of a few lines."""

    def __init__(self, socket: ClientConnection, session_id: str) -> None:
        self.socket = socket
        self.session_id = session_id

    async def send(self, type: str, **data: Any) -> None:
        await self.socket.send(json.dumps({"type": type, "data": {"session_id": self.session_id, **data}}))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            event: dict[str, Any] = json.loads(await self.socket.recv())
        assert event["event_id"]
        assert event["data"]["session_id"] == self.session_id
        return event

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.send("tts.text.delta", text=text)

    async def rest(self) -> list[dict[str, Any]]:
        """Everything until the server closes."""
        events = []
        try:
            while True:
                events.append(await self.next())
        except ConnectionClosed:
            return events


@asynccontextmanager
async def narrating(server: RunningServer, path: str = PATH, **created: Any) -> AsyncIterator[Narrator]:
    async with connect(server.ws + path, max_size=None) as socket:
        first = json.loads(await socket.recv())
        assert first["type"] == "tts.connection.done"
        narrator = Narrator(socket, first["data"]["session_id"])
        assert len(narrator.session_id) == 32
        if created:
            await narrator.send("tts.create", **VOICE, **created)
            assert (await narrator.next())["type"] == "tts.response.created"
        yield narrator


def deltas(events: list[dict[str, Any]]) -> list[bytes]:
    return [base64.b64decode(one["data"]["audio"]) for one in events if one["type"] == "tts.response.audio.delta"]


def heard(data: bytes, *, raw: bool = False) -> Samples:
    return read_recording(data, rate_hz=24_000, max_s=60, raw=RawFormat(24_000) if raw else None)


async def test_the_documented_order(server: RunningServer) -> None:
    async with narrating(server, response_format="pcm", mode="sentence", timestamp=True) as narrator:
        await narrator.say("你好。今天", "天气很好！")
        await narrator.send("tts.text.done")
        events = await narrator.rest()
        assert narrator.socket.close_code == 1000
    kinds = [event["type"].removeprefix("tts.response.") for event in events]
    merged = [kind for index, kind in enumerate(kinds) if index == 0 or kinds[index - 1] != kind]
    assert merged == [*["sentence.start", "audio.delta", "sentence.end", "subtitle"] * 2, "audio.done"]
    assert [one["data"]["text"] for one in events if one["type"].endswith("sentence.start")] == [
        "你好。",
        "今天天气很好！",
    ]
    starts = [one["data"] for one in events if one["type"].endswith("sentence.start")]
    assert not any("not_applied" in start for start in starts)
    assert [one["request_id"] for one in starts] == [f"{starts[0]['session_id']}-tts.{number}" for number in (1, 2)]
    assert all(one["timestamp"] > 1e12 and one["sentence_id"] and one["started_at"] for one in starts)
    statuses = [one["data"]["status"] for one in events if one["type"].endswith("delta")]
    assert statuses.count("finished") == 2
    assert statuses[-1] == "finished"
    subtitle = next(one for one in events if one["type"].endswith("subtitle"))
    assert subtitle["timestamp"] > 1e12
    assert [item["text"] for item in subtitle["data"]["items"]] == ["你", "好"]
    assert base64.b64decode(events[-1]["data"]["audio"]) == b"".join(deltas(events))


async def test_tokens_of_a_language_model_are_spoken_before_the_text_is_over(server: RunningServer) -> None:
    async with narrating(server, response_format="pcm") as narrator:
        await narrator.say("Once ", "upon ", "a time ", "there was ", "a very small ", "and rather old house. ", "It ")
        assert (await narrator.next())["type"] == "tts.response.sentence.start"
        await narrator.send("tts.text.flush")
        while (await narrator.next())["type"] != "tts.text.flushed":
            pass
        await narrator.send("tts.text.done")
        events = await narrator.rest()
    assert "It" in [one["data"].get("text", "").strip() for one in events]


@pytest.mark.parametrize("format", ["wav", "mp3", "flac", "opus", "pcm"])
async def test_each_piece_is_a_file(server: RunningServer, format: str) -> None:
    async with narrating(server, response_format=format, mode="sentence") as narrator:
        await narrator.say("Hello there! How are you? Fine.")
        await narrator.send("tts.text.done")
        events = await narrator.rest()
    pieces = [piece for piece in deltas(events) if piece]
    raw = format == "pcm"
    lengths = [len(heard(piece, raw=raw)) for piece in pieces]
    whole = heard(base64.b64decode(events[-1]["data"]["audio"]), raw=raw)
    assert len(whole) == pytest.approx(sum(lengths), abs=3 * 2400)
    assert np.abs(whole).max() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("format", ["mp3_stream", "opus_stream", "flac_stream"])
async def test_pieces_of_a_stream_are_one_file(server: RunningServer, format: str) -> None:
    async with narrating(server, response_format=format, mode="sentence", sample_rate=16000) as narrator:
        await narrator.say("Hello there! How are you? Fine.")
        await narrator.send("tts.text.done")
        events = await narrator.rest()
    whole = base64.b64decode(events[-1]["data"]["audio"])
    assert b"".join(deltas(events)) == whole
    assert len(heard(whole)) / 24_000 == pytest.approx(len("Hello there!How are you?Fine.") * 0.05, abs=0.2)


async def test_everything_that_can_be_asked_for(server: RunningServer) -> None:
    asked = {
        "response_format": "wav",
        "sample_rate": 8000,
        "speed_ratio": 2.0,
        "volume_ratio": 0.5,
        "mode": "sentence",
        "pronunciation_map": {"tone": ["LOL/laugh"]},
        "features": {"enable_markdown_filter": True},
        "voice_label": {"style": "老年"},
        "instruction": None,
        "text_normalization": "enhanced",
        "no_such_field": 1,
    }
    async with narrating(server) as narrator:
        await narrator.send("tts.create", **VOICE, **asked)
        assert (await narrator.next())["data"]["not_applied"] == ["voice_label.style"]
        await narrator.say("LOL")
        await narrator.send("tts.text.done")
        whole = heard(base64.b64decode((await narrator.rest())[-1]["data"]["audio"]))
    assert len(whole) / 24_000 == pytest.approx(len("laugh.") * 0.05 / 2, abs=0.03)
    assert np.abs(whole).max() == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({"type": "tts.text.delta", "data": {"text": "too soon"}}, "type"),
        ({"type": "tts.create", "data": {}}, "data.voice_id"),
        ({"type": "tts.create", "data": {"voice_id": "nobody"}}, "data.voice_id"),
        ({"type": "tts.create", "data": {**VOICE, "response_format": "wav_stream"}}, "data.response_format"),
        ({"type": "tts.create", "data": {**VOICE, "speed_ratio": 3}}, "data.speed_ratio"),
        ({"type": "tts.create", "data": {**VOICE, "sample_rate": 44100}}, "data.sample_rate"),
        (
            {"type": "tts.create", "data": {**VOICE, "pronunciation_map": {"tone": [1]}}},
            "data.pronunciation_map.tone[0]",
        ),
        (
            {"type": "tts.create", "data": {**VOICE, "pronunciation_map": {"tone": ["x"]}}},
            "data.pronunciation_map.tone[0]",
        ),
        ({"type": "tts.create", "data": {**VOICE, "voice_label": {"language": "粤语"}}}, "data.voice_label.language"),
        ({"type": "tts.create", "data": {**VOICE, "session_id": "another"}}, "data.session_id"),
        ({"type": "tts.sing", "data": {}}, "type"),
        ({"type": 5}, None),
        ([], None),
        ("not JSON", None),
    ],
)
async def test_mistakes_are_told_and_the_connection_lives(server: RunningServer, event: Any, param: str | None) -> None:
    async with narrating(server) as narrator:
        await narrator.socket.send(event if isinstance(event, str) else json.dumps(event))
        error = await narrator.next()
        assert error["type"] == "tts.response.error"
        assert error["data"]["code"] == "400"
        assert error["data"]["message"]
        assert error["data"]["details"]["param"] == param
        await narrator.send("tts.create", **VOICE)
        assert (await narrator.next())["type"] == "tts.response.created"


async def test_mistakes_after_the_beginning(server: RunningServer) -> None:
    async with narrating(server, mode="sentence") as narrator:
        await narrator.send("tts.create", **VOICE)
        assert (await narrator.next())["data"]["details"]["param"] == "type"
        await narrator.say("x" * 1001)
        assert (await narrator.next())["data"]["details"]["param"] == "data.text"
        await narrator.say(*["x" * 1000] * 11)
        assert (await narrator.next())["data"]["details"]["param"] == "data.text"


async def test_an_engine_that_fails_ends_it(server: RunningServer) -> None:
    async with narrating(server, mode="sentence") as narrator:
        await narrator.say("please fail")
        await narrator.send("tts.text.done")
        events = await narrator.rest()
        assert narrator.socket.close_code == 1011
    assert (events[-1]["type"], events[-1]["data"]["code"]) == ("tts.response.error", "500")


async def test_a_sentence_no_voice_reads_is_refused_and_the_next_is_spoken(server: RunningServer) -> None:
    async with narrating(server, response_format="pcm", mode="sentence") as narrator:
        await narrator.say("안녕하세요! That is Korean. And so on!")
        await narrator.send("tts.text.done")
        events = await narrator.rest()
        assert narrator.socket.close_code == 1000
    refused = events[0]["data"]
    assert (events[0]["type"], refused["details"]["code"]) == ("tts.response.error", "unsupported_value")
    starts = [event["data"]["text"] for event in events if event["type"].endswith("sentence.start")]
    assert "".join(starts).strip() == "That is Korean. And so on!"


async def test_who_says_nothing_is_let_go(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_socket, "IDLE_S", 0.2)
    async with narrating(server) as narrator:
        assert await narrator.rest() == []
        assert narrator.socket.close_code == 1000


async def test_no_text_at_all(server: RunningServer) -> None:
    async with narrating(server, response_format="pcm") as narrator:
        await narrator.send("tts.text.done")
        (done,) = await narrator.rest()
    assert (done["type"], done["data"]["audio"]) == ("tts.response.audio.done", "")


async def freed(server: RunningServer) -> bool:
    for _ in range(500):
        if not server.core.request_slots.taken:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_vanishing_frees_the_place(server: RunningServer) -> None:
    async with narrating(server, mode="sentence") as narrator:
        assert not server.core.request_slots.taken, "nothing is spoken yet"
        await narrator.say("This is quite long. " * 40)
        await narrator.send("tts.text.flush")
        await narrator.next()
        narrator.socket.transport.abort()
    assert await freed(server)


async def test_who_is_refused_before_the_upgrade() -> None:
    config = load_config({"limits": {"requests": 1}, "auth": {"keys": {"me": "a-long-random-text"}}}, profile="fake")
    with running(config) as locked:

        async def refused(path: str, key: str) -> tuple[int, str]:
            with pytest.raises(InvalidStatus) as refusal:
                await connect(locked.ws + path, additional_headers={"Authorization": f"Bearer {key}"})
            return refusal.value.response.status_code, json.loads(refusal.value.response.body)["error"]["code"]

        assert await refused(PATH, "wrong-random-text") == (401, "invalid_api_key")
        assert await refused("/v1/realtime/audio?model=step-audio-2", "a-long-random-text") == (404, "model_not_found")
        assert await refused("/v1/realtime/audio", "a-long-random-text") == (404, "model_not_found")
        with holding(locked.core.request_slots):
            assert await refused(PATH, "a-long-random-text") == (429, "rate_limit_exceeded")
        assert await freed(locked)


async def test_a_sentence_read_by_the_rules_of_another_language_is_named(server: RunningServer) -> None:
    async with narrating(server) as narrator:
        await narrator.send("tts.create", **VOICE, response_format="pcm")
        await narrator.say("Guten Tag, wie geht es Ihnen heute? ", "I am well, thank you.")
        await narrator.send("tts.text.done")
        starts = [event["data"] for event in await narrator.rest() if event["type"].endswith("sentence.start")]
    *german, english = (start.get("not_applied") for start in starts)
    assert {*map(tuple, german)} == {("language",)}
    assert english is None
