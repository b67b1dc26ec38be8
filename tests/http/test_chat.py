"""``POST /v1/chat/completions`` as it is on the wire."""

from __future__ import annotations

import base64
import json
import time
import wave
from io import BytesIO
from math import ceil
from typing import Any

import httpx
import pytest

from chatting import Json, openai_audio, post, question, refused, request, stepfun_audio, stream, wav
from docs.thoughtful import FILLER
from running import RunningServer, running, silence, tone
from vivavoce.audio.encoding import FileFormat, encode
from vivavoce.audio.pcm import decode_pcm16
from vivavoce.audio.recordings import read_recording
from vivavoce.config import load_config

SPOKEN = {"modalities": ["text", "audio"], "audio": {"voice": "qingchunshaonv", "format": "wav"}}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def answer(server: RunningServer, body: Json) -> Json:
    answered = post(server, body)
    assert answered.status_code == 200, answered.text
    whole: Json = answered.json()
    return whole


def message(server: RunningServer, body: Json) -> Json:
    (choice,) = answer(server, body)["choices"]
    said: Json = choice["message"]
    return said


# ---- text


def test_a_text_answer(server: RunningServer) -> None:
    whole = answer(server, request("Good morning."))
    assert whole["object"] == "chat.completion"
    assert whole["id"].startswith("chatcmpl-")
    assert whole["model"] == "step-audio-2"
    (choice,) = whole["choices"]
    assert choice == {
        "index": 0,
        "message": {"role": "assistant", "content": "You said: Good morning.", "refusal": None},
        "finish_reason": "stop",
        "logprobs": None,
    }
    usage = whole["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == 4


def test_a_text_stream_as_stepfun_reports_usage(server: RunningServer) -> None:
    streamed = stream(server, request("Good morning."))
    assert streamed.text[0] == "You said: Good morning."
    assert streamed.reasons == {0: "stop"}
    assert streamed.chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert streamed.chunks[0]["object"] == "chat.completion.chunk"
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in streamed.chunks}) == 1
    spent = [chunk["usage"]["completion_tokens"] for chunk in streamed.chunks]
    assert spent == sorted(spent)
    assert (spent[0], spent[-1]) == (0, 4)
    assert len({chunk["usage"]["prompt_tokens"] for chunk in streamed.chunks}) == 1


def test_a_text_stream_as_openai_reports_usage(server: RunningServer) -> None:
    streamed = stream(server, request("Good morning.", stream_options={"include_usage": True}))
    *chunks, last = streamed.chunks
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 4
    without = stream(server, request("Good morning.", stream_options={"include_usage": False}))
    assert not any("usage" in chunk for chunk in without.chunks)


def test_fields_nobody_knows_and_nulls_are_tolerated(server: RunningServer) -> None:
    odd = {"user": "me", "metadata": {"a": "b"}, "store": True, "audio": None, "tools": None, "temperature": None}
    assert message(server, request("Hi", **odd))["content"] == "You said: Hi"


def test_stepfuns_subscription_has_a_path_of_its_own(server: RunningServer) -> None:
    answered = httpx.post(f"{server.http}/step_plan/v1/chat/completions", json=request("Good morning."))
    assert answered.status_code == 200, answered.text
    assert answered.json()["choices"][0]["message"]["content"] == "You said: Good morning."


def test_max_tokens_under_both_names(server: RunningServer) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        (choice,) = answer(server, request("one two three", **{name: 3}))["choices"]
        assert choice["finish_reason"] == "length"
        assert choice["message"]["content"] == "You said: one"


def test_an_answer_ends_before_a_stop(server: RunningServer) -> None:
    assert message(server, request("one two three", stop="two"))["content"] == "You said: one"
    assert message(server, request("one two three", stop=["three", "one"]))["content"] == "You said:"


def test_several_answers(server: RunningServer) -> None:
    whole = answer(server, request("Hi", n=3))
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    assert whole["usage"]["completion_tokens"] == 9
    one = answer(server, request("Hi"))
    assert whole["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"]
    streamed = stream(server, request("Hi", n=2))
    assert streamed.text == {0: "You said: Hi", 1: "You said: Hi"}
    assert streamed.reasons == {0: "stop", 1: "stop"}


def test_how_likely_the_words_were(server: RunningServer) -> None:
    (choice,) = answer(server, request("Hi", logprobs=True, top_logprobs=2))["choices"]
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == "You said: Hi"
    assert {len(token["top_logprobs"]) for token in tokens} == {2}
    assert bytes(tokens[0]["bytes"]).decode() == "You"
    streamed = stream(server, request("Hi", logprobs=True))
    told = [c["choices"][0]["logprobs"]["content"] for c in streamed.chunks if "logprobs" in c["choices"][0]]
    assert [token["token"] for tokens in told for token in tokens] == ["You", " said:", " Hi"]


def test_thinking_has_the_name_that_was_asked_for(thoughtful: RunningServer) -> None:
    said = message(thoughtful, request("think"))
    assert said["reasoning"] == "They want me to think."
    said = message(thoughtful, request("think", reasoning_format="deepseek-style", reasoning_effort="low"))
    assert said["reasoning_content"] == "They want me to think."
    assert "reasoning" not in said
    deltas = [chunk["choices"][0]["delta"] for chunk in stream(thoughtful, request("think")).chunks]
    assert [delta["reasoning"] for delta in deltas if "reasoning" in delta] == ["They want me ", "to think."]


# ---- speech


@pytest.mark.parametrize("part", [stepfun_audio, openai_audio])
def test_a_spoken_question_and_a_spoken_answer(server: RunningServer, part: Any) -> None:
    whole = answer(server, request("What do you hear?", part(question()), **SPOKEN))
    said = whole["choices"][0]["message"]
    assert said["content"] is None
    assert said["audio"]["transcript"] == "You said: What do you hear?\nI heard 1000 milliseconds."
    with wave.open(BytesIO(base64.b64decode(said["audio"]["data"]))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.getnframes() > 24_000
    assert said["audio"]["expires_at"] > time.time()
    assert "not_applied" not in said["audio"]


def test_an_answer_read_by_the_rules_of_another_language_is_named(server: RunningServer) -> None:
    german = request("Das ist nicht sehr weit, und wir sind heute auch mit dem Rad da.", **SPOKEN)
    answered = post(server, german)
    assert answered.headers["X-Vivavoce-Not-Applied"] == "language"
    assert answered.json()["choices"][0]["message"]["audio"]["not_applied"] == ["language"]
    deltas = [chunk["choices"][0]["delta"] for chunk in stream(server, german).chunks]
    assert [delta["audio"]["not_applied"] for delta in deltas if "not_applied" in (delta.get("audio") or {})] == [
        ["language"]
    ]
    silent = post(server, request("Das ist nicht sehr weit, und wir sind heute auch mit dem Rad da."))
    assert "X-Vivavoce-Not-Applied" not in silent.headers


@pytest.mark.parametrize("format", ["wav", "mp3", "flac", "opus", "aac"])
def test_files_of_every_format(server: RunningServer, format: FileFormat) -> None:
    """Sent in one format and asked for in it: no format is told, so the server has to find out."""
    samples = decode_pcm16(tone(1000))
    body = request(stepfun_audio(encode(samples, format, 24_000)), modalities=["audio"], audio={"format": format})
    said = message(server, body)["audio"]
    assert "I heard 1" in said["transcript"]
    assert len(read_recording(base64.b64decode(said["data"]), rate_hz=16_000, max_s=60)) > 16_000
    streamed = stream(server, body)
    assert len(read_recording(streamed.audio[0], rate_hz=16_000, max_s=60)) > 16_000


def test_samples_without_a_header(server: RunningServer) -> None:
    body = request(openai_audio(silence(100) + tone(1000), "pcm16"))
    assert message(server, body)["content"] == "You said: I heard 1000 milliseconds."


def test_a_spoken_stream(server: RunningServer) -> None:
    body = request(stepfun_audio(question()), modalities=["text", "audio"], audio={"voice": "alloy", "format": "pcm"})
    streamed = stream(server, body)
    assert streamed.transcript[0] == "You said: I heard 1000 milliseconds."
    assert streamed.text[0] == ""
    whole = message(server, {**body, "audio": {"voice": "alloy", "format": "pcm16"}})
    assert streamed.audio[0] == base64.b64decode(whole["audio"]["data"])
    deltas = [chunk["choices"][0]["delta"].get("audio") for chunk in streamed.chunks]
    told = [audio for audio in deltas if audio]
    assert len({audio["id"] for audio in told}) == 1
    assert "expires_at" in told[-1]
    assert streamed.reasons == {0: "stop"}
    spent = [chunk["usage"]["completion_tokens"] for chunk in streamed.chunks]
    assert spent == sorted(spent)
    audio_s = len(streamed.audio[0]) / 48_000
    assert streamed.chunks[-1]["usage"]["completion_tokens_details"] == {
        "text_tokens": 6,
        "audio_tokens": ceil(audio_s * 25),
    }


@pytest.mark.parametrize(("model", "heard", "spoken"), [("step-audio-2", 12.5, 25), ("gpt-4o-audio-preview", 10, 20)])
def test_audio_counts_by_the_rates_of_the_models_platform(
    server: RunningServer, model: str, heard: float, spoken: float
) -> None:
    recording = silence(300) + tone(1000) + silence(700)
    body = {**request(stepfun_audio(encode(decode_pcm16(recording), "wav", 24_000))), "model": model, **SPOKEN}
    whole = answer(server, body)
    with wave.open(BytesIO(base64.b64decode(whole["choices"][0]["message"]["audio"]["data"]))) as file:
        said_s = file.getnframes() / 24_000
    usage = whole["usage"]
    read, written = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    assert read["audio_tokens"] == ceil(2 * heard)
    assert written["audio_tokens"] == ceil(round(said_s * spoken, 6))
    assert usage["prompt_tokens"] == read["text_tokens"] + read["audio_tokens"]
    assert usage["completion_tokens"] == written["text_tokens"] + written["audio_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_an_answer_is_spoken_when_audio_is_asked_for_in_any_way(server: RunningServer) -> None:
    assert message(server, request("Hi", audio={"voice": "alloy"}))["audio"]["data"]
    assert message(server, request("Hi", modalities=["text", "audio"]))["audio"]["data"]
    assert "audio" not in message(server, request("Hi", modalities=["text"], audio={"voice": "alloy"}))


def test_an_earlier_spoken_answer_by_id_or_transcript(server: RunningServer) -> None:
    first = message(server, request("Hi", **SPOKEN))
    body = request("go on")

    def prompt_tokens(assistant: Json) -> int:
        whole = answer(server, {**body, "messages": [{"role": "assistant", **assistant}, *body["messages"]]})
        return int(whole["usage"]["prompt_tokens"])

    expected = prompt_tokens({"content": "You said: Hi"})
    assert prompt_tokens({"audio": {"id": first["audio"]["id"]}}) == expected
    assert prompt_tokens({"audio": first["audio"]}) == expected
    assert prompt_tokens({"content": [{"type": "text", "text": "You said: Hi"}]}) == expected
    streamed = stream(server, request("Hi", modalities=["audio"]))
    audio_id = next(chunk["choices"][0]["delta"]["audio"]["id"] for chunk in streamed.chunks[1:])
    assert prompt_tokens({"audio": {"id": audio_id}}) == expected


def test_a_spoken_answer_nobody_knows(server: RunningServer) -> None:
    body = request("go on")
    body["messages"].insert(0, {"role": "assistant", "audio": {"id": "audio_none"}})
    error = refused(server, body)
    assert (error["code"], error["param"]) == ("audio_not_found", "messages[0].audio.id")


def test_spoken_answers_belong_to_their_owner() -> None:
    keys = {"one": "a-long-random-text", "two": "another-random-text"}
    with running(load_config({"auth": {"keys": keys}}, profile="fake")) as server:

        def ask(owner: str, body: Json) -> httpx.Response:
            headers = {"Authorization": f"Bearer {keys[owner]}"}
            return httpx.post(f"{server.http}/v1/chat/completions", json=body, headers=headers, timeout=60)

        spoken = ask("one", request("Hi", **SPOKEN)).json()["choices"][0]["message"]["audio"]
        body = request("go on")
        body["messages"].insert(0, {"role": "assistant", "audio": {"id": spoken["id"]}})
        assert ask("one", body).status_code == 200
        assert ask("two", body).json()["error"]["code"] == "audio_not_found"
        assert post(server, body).status_code == 401


def test_a_recording_without_words_is_said_to_be_one(server: RunningServer) -> None:
    said = message(server, request(stepfun_audio(wav(silence(500)))))
    assert said["content"] == "You said: (The user sent a recording without any words in it.)"


def test_a_long_recording_is_heard_in_pieces(server: RunningServer) -> None:
    pcm = b"".join(tone(8_000) + silence(1_500) for _ in range(4))
    said = message(server, request(stepfun_audio(wav(pcm))))["content"]
    assert said.count("I heard") > 1


# ---- tools


def test_a_call_and_its_result(server: RunningServer) -> None:
    body = request('call get_weather {"city": "Paris"}', tools=[WEATHER])
    (choice,) = answer(server, body)["choices"]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["type"] == "function"
    assert call["index"] == 0
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
    body["messages"] += [choice["message"], result]
    assert message(server, body)["content"] == "You said: sunny"


def test_a_streamed_call(server: RunningServer) -> None:
    streamed = stream(server, request('call get_weather {"city": "Paris"}', tools=[WEATHER]))
    (call,) = streamed.calls[0]
    assert call["id"]
    assert (call["type"], call["name"], json.loads(call["arguments"])) == ("function", "get_weather", {"city": "Paris"})
    assert streamed.reasons == {0: "tool_calls"}


def test_words_before_a_call_are_spoken(thoughtful: RunningServer) -> None:
    body = request('say and call get_weather {"city": "Paris"}', tools=[WEATHER], **SPOKEN)
    said = message(thoughtful, body)
    assert said["audio"]["transcript"] == FILLER
    assert said["tool_calls"][0]["function"]["name"] == "get_weather"
    body["messages"] += [said, {"role": "tool", "tool_call_id": said["tool_calls"][0]["id"], "content": "sunny"}]
    assert message(thoughtful, body)["audio"]["transcript"] == "You said: sunny"
    streamed = stream(thoughtful, {**body, "messages": body["messages"][:1], "audio": {"format": "pcm"}})
    assert streamed.transcript[0] == FILLER
    assert streamed.audio[0]
    assert [call["name"] for call in streamed.calls[0]] == ["get_weather"]


def test_two_calls_at_once(thoughtful: RunningServer) -> None:
    lamp = {"type": "function", "function": {"name": "lamp"}}
    body = request('call get_weather {"city": "Rome"} call lamp {}', tools=[WEATHER, lamp])
    assert [call["function"]["name"] for call in message(thoughtful, body)["tool_calls"]] == ["get_weather", "lamp"]
    assert [call["name"] for call in stream(thoughtful, body).calls[0]] == ["get_weather", "lamp"]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_a_call_that_is_demanded(server: RunningServer, choice: Any) -> None:
    said = message(server, request("Hi", tools=[WEATHER], tool_choice=choice))
    assert said["content"] is None
    assert said["tool_calls"][0]["function"]["name"] == "get_weather"


def test_a_call_that_is_forbidden(server: RunningServer) -> None:
    body = request('call get_weather {"city": "Paris"}', tools=[WEATHER], tool_choice="none")
    assert "tool_calls" not in message(server, body)


# ---- JSON


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def test_an_answer_in_json(server: RunningServer) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}
    assert json.loads(message(server, request("Hi", response_format=wanted))["content"]) == {"city": "fake"}
    assert json.loads(stream(server, request("Hi", response_format=wanted)).text[0]) == {"city": "fake"}
    assert json.loads(message(server, request("Hi", response_format={"type": "json_object"}))["content"]) == {}
    assert message(server, request("Hi", response_format={"type": "text"}))["content"] == "You said: Hi"
