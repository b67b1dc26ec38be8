"""Chat requests that are refused, fail, or are left by their client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from chatting import Json, openai_audio, post, question, refused, request, stepfun_audio, wav
from net.pages import Pages, served
from running import RunningServer, running, silence
from vivavoce.audio.encoding import encode
from vivavoce.cli import app
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeLanguageModel, FakeRecognizer
from vivavoce.types import GenerationEvent, GenerationOptions, Message, TextDelta

WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


# ---- mistakes


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"messages": None}, "missing_required_parameter", "messages"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"model": None}, "missing_required_parameter", "model"),
        ({"temperature": 2.5}, "invalid_value", "temperature"),
        ({"n": 6}, "invalid_value", "n"),
        ({"top_logprobs": 2}, "invalid_value", "top_logprobs"),
        ({"tools": [{"type": "function", "function": {}}]}, "missing_required_parameter", "tools[0].function.name"),
        ({"tools": [{"type": "magic"}]}, "invalid_value", "tools[0].type"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "text"}}}]},
            "invalid_function_parameters",
            "tools[0].function.parameters",
        ),
        ({"tools": [WEATHER, WEATHER]}, "invalid_value", "tools"),
        ({"tool_choice": "required"}, "invalid_value", "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "invalid_value", "tool_choice"),
        ({"tool_choice": "maybe"}, "invalid_value", "tool_choice"),
        ({"audio": {"voice": "nobody"}}, "invalid_value", "audio.voice"),
        ({"audio": {"format": "midi"}}, "invalid_value", "audio.format"),
        ({"response_format": {"type": "json_schema"}}, "invalid_value", "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 7}}}},
            "invalid_json_schema",
            "response_format.json_schema.schema",
        ),
        ({"response_format": {"type": "json_object"}, "audio": {}}, "invalid_value", "response_format.type"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_where_it_is(server: RunningServer, change: Json, code: str, param: str) -> None:
    error = refused(server, {**request("Hi"), **change})
    assert (error["code"], error["param"]) == (code, param)


DATA = ".content[0].input_audio.data"


def said(*parts: Json) -> Json:
    return {"role": "user", "content": list(parts)}


def heard(data: str) -> Json:
    return said({"type": "input_audio", "input_audio": {"data": data}})


def called(arguments: str) -> Json:
    return {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": arguments}}]}


@pytest.mark.parametrize(
    ("wrong", "code", "at"),
    [
        (said({"type": "image_url", "image_url": {}}), "unsupported_content", ".content[0].image_url"),
        (said({"type": "video_url"}), "unsupported_content", ".content[0]"),
        (said({"type": "input_audio", "input_audio": {}}), "missing_required_parameter", DATA),
        (said({"type": "text", "text": "x"}, openai_audio(b"no")), "unsupported_format", DATA.replace("0", "1")),
        (heard("%%%"), "invalid_audio", DATA),
        (heard("data:audio/wav,abc"), "invalid_audio", DATA),
        (heard("https://example.com/a.wav"), "url_not_allowed", DATA),
        ({"role": "user"}, "missing_required_parameter", ".content"),
        ({"role": "tool", "content": "x"}, "missing_required_parameter", ".tool_call_id"),
        (called("[]"), "invalid_value", ".tool_calls[0].function.arguments"),
        (called("{"), "invalid_value", ".tool_calls[0].function.arguments"),
        ({"role": "nobody", "content": "x"}, "invalid_value", ""),
    ],
)
def test_a_mistake_in_a_message(server: RunningServer, wrong: Json, code: str, at: str) -> None:
    body = request("Hi")
    body["messages"].append(wrong)
    error = refused(server, body)
    assert (error["code"], error["param"]) == (code, f"messages[1]{at}")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 10_000])
def test_what_is_no_json_object(server: RunningServer, body: bytes) -> None:
    assert refused(server, body)["code"] == "invalid_json"


def test_a_model_nobody_has(server: RunningServer) -> None:
    assert refused(server, {**request("Hi"), "model": "gpt-9"}, 404)["param"] == "model"


def test_an_engine_that_fails(server: RunningServer) -> None:
    assert refused(server, request("please fail"), 500)["code"] == "engine_error"
    assert refused(server, request("please fail", stream=True), 500)["code"] == "engine_error"
    assert server.all_seats_free()


def test_a_failure_under_way_is_the_last_event(server: RunningServer) -> None:
    """The text has left when the speaker fails, at two clauses in a row."""
    body = request("Hi", stream=True, modalities=["audio"])
    body["messages"].append({"role": "user", "content": "One two three four five six. And then please, fail"})

    class Failing(FakeLanguageModel):
        async def generate(
            self, messages: Sequence[Message], options: GenerationOptions
        ) -> AsyncGenerator[GenerationEvent, None]:
            yield TextDelta("All is well. Now please fail, speaker. And please fail, speaker, again. So then.")
            await asyncio.Event().wait()

    with server.with_model(Failing(4)):
        answered = post(server, body)
    assert answered.status_code == 200
    last = answered.text.rstrip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "engine_error"
    assert server.all_seats_free()


# ---- limits


def test_more_than_ten_megabytes(server: RunningServer) -> None:
    body = json.dumps(request("x" * (10 * 1024 * 1024))).encode()
    assert refused(server, body, 413)["code"] == "request_too_large"


def test_more_than_thirty_segments(server: RunningServer) -> None:
    short, long = wav(silence(200), 24_000), encode(np.zeros(8_000 * 60, np.float32), "opus", 8_000)
    assert post(server, request(*[stepfun_audio(short)] * 30)).status_code == 200
    error = refused(server, request(*[stepfun_audio(short)] * 31))
    assert (error["code"], error["param"]) == ("audio_too_long", "messages[0].content[30].input_audio.data")
    error = refused(server, request(*[stepfun_audio(long)] * 11))
    assert (error["code"], error["param"]) == ("audio_too_long", "messages[0].content[10].input_audio.data")


def test_messages_beyond_the_context(server: RunningServer) -> None:
    error = refused(server, request("word " * 5000))
    assert (error["code"], error["param"]) == ("context_length_exceeded", "messages")


class Endless(FakeLanguageModel):
    """Says one word and then nothing more, ever; ``stopped`` once it is no longer asked."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.stopped = 0

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        try:
            yield TextDelta("Well")
            await asyncio.Event().wait()
        finally:
            self.stopped += 1


@pytest.fixture
def endless(server: RunningServer) -> Iterator[Endless]:
    model = Endless(4)
    with server.with_model(model):
        yield model


def test_a_client_that_hangs_up_stops_the_work(server: RunningServer, endless: Endless) -> None:
    url = f"{server.http}/v1/chat/completions"
    with (
        httpx.Client(timeout=30) as client,
        client.stream("POST", url, json=request("Hi", stream=True)) as answered,
    ):
        lines = answered.iter_lines()
        assert any("Well" in line for line in lines)
        assert server.core.conversation_slots.taken == 1
    assert server.all_seats_free()
    assert endless.stopped == 1


def test_so_does_one_that_waits_for_a_whole_answer(server: RunningServer, endless: Endless) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.http}/v1/chat/completions", json=request("Hi"), timeout=0.5)
    assert server.all_seats_free()
    assert endless.stopped == 1


def test_a_place_for_each_request_and_no_more(server: RunningServer, endless: Endless) -> None:
    url = f"{server.http}/v1/chat/completions"
    with httpx.Client(timeout=30) as client:
        responses = [
            client.send(client.build_request("POST", url, json=request("Hi", stream=True)), stream=True)
            for _ in range(4)
        ]
        for response in responses:
            assert response.status_code == 200
        one_more = client.post(url, json=request("Hi"))
        assert one_more.status_code == 429
        assert int(one_more.headers["retry-after"]) > 0
        for response in responses:
            response.close()
    assert server.all_seats_free()


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"root": "configured-secret"}}}, profile="fake")) as started:
        yield started


def keys(server: RunningServer, *arguments: str) -> str:
    """What the command says."""
    url = server.core.config.storage.url
    assert url is not None
    env = {"VIVAVOCE_STORAGE__URL": url.get_secret_value(), "COLUMNS": "200"}
    return CliRunner().invoke(app, ["keys", *arguments], env=env).stdout.strip()


def test_a_request_counts_as_a_conversation_of_its_key_and_ends_with_it(locked: RunningServer) -> None:
    model = Endless(4)
    secret = keys(locked, "create", "me", "--sessions", "1")
    (key_id,) = [line.split()[0] for line in keys(locked, "list").splitlines() if secret[-4:] in line]
    address, body = f"{locked.http}/v1/chat/completions", request("Hi", stream=True)
    with (
        locked.with_model(model),
        httpx.Client(timeout=30, headers={"Authorization": f"Bearer {secret}"}) as client,
        client.stream("POST", address, json=body) as answered,
    ):
        lines = answered.iter_lines()
        assert any("Well" in line for line in lines)
        assert client.post(address, json=request("Hi")).status_code == 429
        keys(locked, "revoke", key_id)
        assert '"code":"invalid_api_key"' in [line for line in lines if line][-1]
    assert locked.all_seats_free()
    assert model.stopped == 1
    assert not locked.core.key_use.open


def test_tokens_are_counted_against_the_key(locked: RunningServer) -> None:
    secret = keys(locked, "create", "me", "--tpm", "10")
    address = f"{locked.http}/v1/chat/completions"
    with httpx.Client(timeout=30, headers={"Authorization": f"Bearer {secret}"}) as client:
        first = client.post(address, json=request("Hi"))
        assert first.json()["usage"]["total_tokens"] > 10
        second = client.post(address, json=request("Hi"))
    assert second.status_code == 429
    assert second.json()["error"]["code"] == "rate_limit_exceeded"


# ---- recordings by URL, and heard once


def test_recordings_are_fetched_where_the_server_does_that() -> None:
    pages = Pages()
    with served(pages) as port:
        pages.put("/question.wav", question(), content_type="audio/wav")
        pages.put("/page.html", b"<html>", content_type="text/html")
        by_url = {"type": "input_audio", "input_audio": {"data": f"http://127.0.0.1:{port}/question.wav"}}
        page = {"type": "input_audio", "input_audio": {"data": f"http://127.0.0.1:{port}/page.html"}}
        with running(load_config({"net": {"fetch_audio": True, "allow_private": True}}, profile="fake")) as server:
            answer = post(server, request(by_url)).json()
            assert answer["choices"][0]["message"]["content"] == "You said: I heard 1000 milliseconds."
            assert refused(server, request(page))["code"] == "unsupported_format"
        with running(load_config({"net": {"fetch_audio": True}}, profile="fake")) as server:
            error = refused(server, request(by_url))
            assert (error["code"], error["param"]) == ("url_not_allowed", "messages[0].content[0].input_audio.data")


def test_a_recording_is_heard_once(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = 0
    transcribe = FakeRecognizer.transcribe

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal heard
        heard += 1
        return transcribe(*args, **options)

    monkeypatch.setattr(FakeRecognizer, "transcribe", counted)
    body = request(stepfun_audio(question(700)))
    for _ in range(3):
        assert "I heard 700 milliseconds." in post(server, body).json()["choices"][0]["message"]["content"]
    assert heard == 1
