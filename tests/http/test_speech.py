"""POST /v1/audio/speech against the running server: bytes, events, addresses, refusals, and clients that hang up."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Any, get_args

import httpx
import numpy as np
import pytest

from running import RunningServer, running
from vivavoce.audio.encoding import CONTENT_TYPES, FileFormat
from vivavoce.audio.recordings import RawFormat, read_recording
from vivavoce.config import load_config
from vivavoce.engines.fake import CHARACTER_MS
from vivavoce.types import Samples, SpeakOptions

SENTENCE = "Hello there. How are you today?"
BODY = {"model": "step-tts-2", "input": SENTENCE, "voice": "cixingnansheng"}
SPOKEN_S = len("Hello there.How are you today?") * CHARACTER_MS / 1000
LONG = "This goes on and on for quite some time, my dear friend. " * 17


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, timeout=60) as opened:
        yield opened


def ask(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/v1/audio/speech", json=BODY | fields)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def audio_of(told: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(one["audio"]) for one in told if one["type"] == "speech.audio.delta")


def heard(data: bytes, *, rate_hz: int = 24_000, raw: bool = False) -> Samples:
    return read_recording(data, rate_hz=24_000, max_s=60, raw=RawFormat(rate_hz) if raw else None)


def refused(answer: httpx.Response, status: int, param: str | None) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param), error
    assert set(error) == {"message", "type", "code", "param"}
    return error


# ---- audio


@pytest.mark.parametrize("format", get_args(FileFormat))
@pytest.mark.parametrize("rate_hz", [8000, 24000])
def test_audio_in_every_format(client: httpx.Client, format: FileFormat, rate_hz: int) -> None:
    answer = ask(client, response_format=format, sample_rate=rate_hz)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPES[format]
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "x-vivavoce-not-applied" not in answer.headers
    assert len(heard(answer.content, rate_hz=rate_hz, raw=format == "pcm")) / 24_000 == pytest.approx(SPOKEN_S, abs=0.3)


def test_speed_and_volume_are_heard(client: httpx.Client) -> None:
    plain = heard(ask(client, response_format="pcm").content, raw=True)
    changed = heard(ask(client, response_format="pcm", speed=2.0, volume=0.5).content, raw=True)
    assert len(changed) == pytest.approx(len(plain) / 2, rel=0.01)
    assert np.abs(changed).max() == pytest.approx(np.abs(plain).max() / 2, rel=0.02)


def test_what_is_not_done_is_said(client: httpx.Client) -> None:
    answer = ask(client, voice_label={"style": "老年"}, instructions="As a pirate.")
    assert answer.headers["x-vivavoce-not-applied"] == "instruction, voice_label.style"
    sse = ask(client, voice_label={"style": "老年"}, stream_format="sse")
    assert sse.headers["x-vivavoce-not-applied"] == "voice_label.style"


def test_the_subscription_has_a_path_of_its_own(client: httpx.Client) -> None:
    assert client.post("/step_plan/v1/audio/speech", json=BODY).status_code == 200


def test_the_first_bytes_come_before_the_last_are_made(client: httpx.Client) -> None:
    with client.stream("POST", "/v1/audio/speech", json=BODY | {"input": LONG, "response_format": "pcm"}) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 3
    assert len(pieces[0]) < sum(map(len, pieces)) / 10


# ---- events


def test_events_serve_both_platforms(client: httpx.Client) -> None:
    told = events(ask(client, stream_format="sse"))
    assert {one["type"] for one in told[:-1]} == {"speech.audio.delta"}
    done = told[-1]
    assert (done["type"], done["audio"]) == ("speech.audio.done", "")
    usage = done["usage"]
    assert usage["input_tokens"] == len(SENTENCE)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] == round(25 * SPOKEN_S)
    assert audio_of(told) == ask(client).content


def test_subtitles_come_before_the_end(client: httpx.Client) -> None:
    told = events(ask(client, stream_format="sse", timestamp=True))
    assert told[-1]["type"] == "speech.audio.done"
    subtitles = [one for one in told if one["type"] == "response.subtitle"]
    assert [one["data"]["text"] for one in subtitles] == ["Hello there.", "How are you today?"]
    words = [item for one in subtitles for item in one["data"]["items"]]
    assert [word["text"] for word in words] == ["Hello", "there", "How", "are", "you", "today"]
    times = [time for word in words for time in (word["start_time"], word["end_time"])]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(SPOKEN_S * 1000, abs=20)
    assert all(one["event_id"] and one["data"]["request_id"] and one["data"]["timestamp"] > 1e12 for one in subtitles)


def test_a_late_failure_is_an_event(client: httpx.Client) -> None:
    broken = "Please stop.\nplease fail now.\nplease fail again."
    answer = ask(client, input=LONG[:600] + broken, stream_format="sse", model="tts-1")
    lines = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert lines[0]["type"] == "speech.audio.delta"
    assert lines[-1]["type"] == "speech.audio.error"
    assert lines[-1]["error"]["code"] == "engine_error"
    assert "[DONE]" not in answer.text


def test_a_clause_that_fails_costs_itself_only(client: httpx.Client) -> None:
    whole = ask(client, input="This is the first.\nAnd so it ends.", response_format="pcm")
    assert (
        ask(client, input="This is the first.\nplease fail.\nAnd so it ends.", response_format="pcm").content
        == whole.content
    )


@pytest.mark.parametrize("response_format", ["wav", "mp3"])
def test_text_no_voice_reads_is_refused(client: httpx.Client, response_format: str) -> None:
    answer = ask(client, input="안녕하세요", response_format=response_format)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input"
    assert "English" in answer.json()["error"]["message"]


def test_text_read_by_the_rules_of_another_language_is_named(client: httpx.Client) -> None:
    answer = ask(client, input="Guten Tag, wie geht es Ihnen?")
    assert answer.headers["X-Vivavoce-Not-Applied"] == "language"


# ---- addresses


def test_a_file_with_an_address(client: httpx.Client) -> None:
    answer = ask(client, return_url=True, timestamp=True, response_format="wav").json()
    url = answer["data"]["url"]
    assert answer["url"] == url
    assert answer["expires_at"] - answer["created"] == pytest.approx(12 * 3600, abs=2)
    assert [one["text"] for one in answer["data"]["subtitles"]] == ["Hello there.", "How are you today?"]
    file = httpx.get(url)
    assert (file.status_code, file.headers["content-type"]) == (200, "audio/wav")
    assert int(file.headers["content-length"]) == len(file.content)
    assert int.from_bytes(file.content[4:8], "little") + 8 == len(file.content)
    assert len(heard(file.content)) / 24_000 == pytest.approx(SPOKEN_S, abs=0.01)
    assert "subtitles" not in ask(client, return_url=True).json()["data"]


def test_addresses_are_not_to_be_guessed(client: httpx.Client) -> None:
    url = ask(client, return_url=True).json()["url"]
    for wrong in (url[:-8], url.replace("/files/", "/files/x"), f"{url.rsplit('/', 1)[0]}/..%2f..%2fvivavoce.db"):
        answer = httpx.get(wrong)
        assert answer.status_code == 404
        assert set(answer.json()["error"]) == {"message", "type", "code", "param"}


def test_an_address_needs_no_key_but_making_one_does() -> None:
    with running(load_config({"auth": {"keys": {"me": "a-long-random-text"}}}, profile="fake")) as locked:
        path = f"{locked.http}/v1/audio/speech"
        assert httpx.post(path, json=BODY, timeout=30).status_code == 401
        made = httpx.post(
            path,
            json=BODY | {"return_url": True},
            headers={"Authorization": "Bearer a-long-random-text"},
            timeout=30,
        )
        assert httpx.get(made.json()["url"], timeout=30).status_code == 200


# ---- refusals


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"timestamp": True}, 400, "timestamp"),
        ({"return_url": True, "stream_format": "sse"}, 400, "return_url"),
        ({"input": "x" * 1001}, 400, "input"),
        ({"input": ""}, 400, "input"),
        ({"input": "🙂"}, 400, "input"),
        ({"input": None}, 400, "input"),
        ({"model": "no-such-model"}, 404, "model"),
        ({"voice": "nobody"}, 400, "voice"),
        ({"voice": {"id": "nobody"}}, 400, "voice"),
        ({"response_format": "ogg"}, 400, "response_format"),
        ({"speed": 2.5}, 400, "speed"),
        ({"speed": 9}, 400, "speed"),
        ({"volume": 3}, 400, "volume"),
        ({"sample_rate": 44100}, 400, "sample_rate"),
        ({"voice_label": {"language": "粤语"}}, 400, "voice_label.language"),
        ({"voice_label": "happy"}, 400, "voice_label"),
        ({"pronunciation_map": {"tone": ["no slash"]}}, 400, "pronunciation_map.tone[0]"),
        ({"instruction": "x" * 201}, 400, "instruction"),
    ],
)
def test_refusals_name_the_field(client: httpx.Client, fields: dict[str, Any], status: int, param: str) -> None:
    refused(ask(client, **fields), status, param)


def test_unknown_fields_are_tolerated(client: httpx.Client) -> None:
    assert ask(client, no_such_field={"a": [1]}).status_code == 200


def test_an_engine_that_fails_at_once_is_a_server_error(client: httpx.Client) -> None:
    for more in ({}, {"stream_format": "sse"}, {"return_url": True}):
        assert refused(ask(client, input="please fail", **more), 500, None)["type"] == "server_error"


# ---- clients that hang up, and too many of them


def places_free(server: RunningServer, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while server.core.request_slots.taken and time.monotonic() < deadline:
        time.sleep(0.01)
    return server.core.request_slots.taken == 0


class Stuck:
    """Holds every request in the synthesizer until it is let go; counts those that were cancelled."""

    def __init__(self, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered = threading.Semaphore(0)
        self.cancelled = 0
        engines = server.core.engines
        self._speak = engines.synthesizer.speak
        monkeypatch.setattr(engines.synthesizer, "speak", self._stuck)

    async def _stuck(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        if "stuck" in text:
            self.entered.release()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1
        async for piece in self._speak(text, options):
            yield piece


@pytest.mark.parametrize("more", [{}, {"stream_format": "sse"}, {"return_url": True}], ids=["audio", "sse", "url"])
@pytest.mark.parametrize("text", ["stuck", LONG[:570] + "And then it is stuck."], ids=["before", "amid"])
def test_hanging_up_stops_the_synthesizer(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], text: str
) -> None:
    stuck = Stuck(server, monkeypatch)
    body = json.dumps(BODY | {"input": text, "response_format": "pcm"} | more).encode()
    head = "POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        assert stuck.entered.acquire(timeout=20)
        assert server.core.request_slots.taken == 1
    assert places_free(server)
    assert stuck.cancelled == 1


def give_up_on(server: RunningServer) -> None:
    with suppress(httpx.ReadTimeout):
        httpx.post(f"{server.http}/v1/audio/speech", json=BODY | {"input": "stuck"}, timeout=6)


def test_one_too_many_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(load_config({"limits": {"requests": 1}}, profile="fake")) as small:
        stuck = Stuck(small, monkeypatch)
        first = threading.Thread(target=give_up_on, args=(small,))
        first.start()
        assert stuck.entered.acquire(timeout=20)
        for more in ({}, {"stream_format": "sse"}, {"return_url": True}):
            answer = httpx.post(f"{small.http}/v1/audio/speech", json=BODY | more)
            assert refused(answer, 429, None)["type"] == "rate_limit_error"
            assert int(answer.headers["retry-after"]) > 0
        first.join(20)
        assert places_free(small)
        assert httpx.post(f"{small.http}/v1/audio/speech", json=BODY).status_code == 200
