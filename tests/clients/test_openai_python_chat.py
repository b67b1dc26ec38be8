"""openai-python against chat completions: with OpenAI's own requests, and with StepFun's documented ones."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from math import ceil
from typing import Any, Literal

import pytest
from openai import (
    APIError,
    AsyncOpenAI,
    BadRequestError,
    DefaultHttpxClient,
    NotFoundError,
    OpenAI,
    RateLimitError,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from chatting import openai_audio, question, stepfun_audio, wav
from clients.speaking import spoken
from running import RunningServer, holding
from tools.web_search.providing import Web
from vivavoce.word_errors import count_errors

LAMP: Any = {
    "type": "function",
    "function": {
        "name": "lamp",
        "description": "Switches the lamp.",
        "parameters": {
            "type": "object",
            "properties": {"on": {"type": "boolean"}},
            "required": ["on"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


SEARCH: Any = {"type": "web_search", "function": {"options": {"timeout_seconds": 20}}}


@pytest.fixture
def client(fake_server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{fake_server.http}/v1", api_key="unused", max_retries=0) as client:
        yield client


def checked(completion: ChatCompletion) -> ChatCompletion:
    """The client builds objects without validating them; here they are."""
    return ChatCompletion.model_validate(completion.model_dump(exclude_unset=True))


def user(*content: Any) -> list[Any]:
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    return [{"role": "user", "content": parts}]


def test_a_text_answer(client: OpenAI) -> None:
    completion = checked(client.chat.completions.create(model="gpt-4o-audio-preview", messages=user("Hi")))
    assert completion.choices[0].message.content == "You said: Hi"
    assert completion.model == "gpt-4o-audio-preview"
    assert completion.usage is not None
    assert completion.usage.prompt_tokens_details is not None


def test_a_spoken_question_as_openai_documents_it(client: OpenAI) -> None:
    completion = checked(
        client.chat.completions.create(
            model="gpt-audio",
            modalities=["text", "audio"],
            audio={"voice": "alloy", "format": "wav"},
            messages=user("What is in this recording?", openai_audio(question())),
            store=True,
        )
    )
    audio = completion.choices[0].message.audio
    assert audio is not None
    assert "I heard 1000 milliseconds." in audio.transcript
    assert base64.b64decode(audio.data)[:4] == b"RIFF"


def test_a_spoken_question_as_stepfun_documents_it(client: OpenAI) -> None:
    """Multi-turn: the answer's transcript goes into the history."""
    messages: list[Any] = [
        {"role": "system", "content": "You answer briefly."},
        *user(stepfun_audio(question())),
    ]
    wanted: Any = {"modalities": ["text", "audio"], "audio": {"voice": "wenrounansheng", "format": "wav"}}
    first = client.chat.completions.create(model="step-audio-2", messages=messages, extra_body=wanted)
    audio = first.choices[0].message.audio
    assert audio is not None
    messages += [{"role": "assistant", "content": audio.transcript}, *user(stepfun_audio(question(500)))]
    second = client.chat.completions.create(model="step-audio-2-mini", messages=messages, extra_body=wanted)
    assert second.choices[0].message.audio is not None
    assert second.choices[0].message.audio.transcript == "You said: I heard 500 milliseconds."


async def test_a_spoken_stream(fake_server: RunningServer) -> None:
    transcript, speech, usage = "", b"", None
    async with AsyncOpenAI(base_url=f"{fake_server.http}/v1", api_key="unused") as client:
        stream = await client.chat.completions.create(
            model="gpt-audio",
            modalities=["text", "audio"],
            audio={"voice": "alloy", "format": "pcm16"},
            messages=user(openai_audio(question())),
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            ChatCompletionChunk.model_validate(chunk.model_dump(exclude_unset=True))
            usage = chunk.usage
            for choice in chunk.choices:
                if choice.delta.audio is not None:
                    transcript += choice.delta.audio.transcript or ""
                    speech += base64.b64decode(choice.delta.audio.data or "")
    assert transcript == "You said: I heard 1000 milliseconds."
    assert len(speech) > 48_000
    assert usage is not None
    details = usage.completion_tokens_details
    assert details is not None
    assert details.audio_tokens == ceil(len(speech) / 48 / 50)
    assert usage.completion_tokens == 6 + details.audio_tokens


def test_the_streaming_helper_and_a_tool(client: OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": 'call lamp {"on": true}'}]
    with client.chat.completions.stream(model="gpt-audio", messages=messages, tools=[LAMP]) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_completion().choices[0].message
    assert "tool_calls.function.arguments.delta" in kinds
    assert "tool_calls.function.arguments.done" in kinds
    assert message.tool_calls is not None
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == {"on": True}
    messages += [message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "done"}]
    completion = client.chat.completions.create(model="gpt-audio", messages=messages, tools=[LAMP])
    assert completion.choices[0].message.content == "You said: done"


class Trip(BaseModel):
    city: str
    slots: int


def test_an_answer_in_json(client: OpenAI) -> None:
    completion = client.chat.completions.parse(
        model="gpt-audio", messages=[{"role": "user", "content": "Two seats to Rome."}], response_format=Trip
    )
    assert completion.choices[0].message.parsed == Trip(city="fake", slots=0)


def test_mistakes_are_the_clients_own_exceptions(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(model="gpt-audio", messages=[], temperature=3)
    assert refused.value.param == "messages"
    with pytest.raises(NotFoundError):
        client.chat.completions.create(model="nothing", messages=user("Hi"))
    with pytest.raises(APIError, match="asked to"):
        list(client.chat.completions.create(model="gpt-audio", messages=user("please fail"), stream=True))


def test_the_raw_answer_has_its_headers(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-audio", messages=user("Hi"))
    assert raw.headers["x-trace-id"]
    assert raw.headers["content-type"] == "application/json"
    assert raw.parse().choices[0].message.content == "You said: Hi"
    with client.chat.completions.with_streaming_response.create(
        model="gpt-audio", messages=user("Hi"), stream=True
    ) as streamed:
        assert streamed.headers["x-trace-id"]
        assert list(streamed.iter_lines())[-2:] == ["data: [DONE]", ""]


def test_a_stream_with_an_answer_in_json(client: OpenAI) -> None:
    with client.chat.completions.stream(model="gpt-audio", messages=user("Hi"), response_format=Trip) as stream:
        assert any(event.type == "content.done" and event.parsed == Trip(city="fake", slots=0) for event in stream)
        assert stream.get_final_completion().choices[0].message.parsed == Trip(city="fake", slots=0)


def test_a_stream_that_is_closed_gives_its_place_back(fake_server: RunningServer, client: OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-audio", messages=user("word " * 1000), stream=True)
    next(iter(stream))
    stream.close()
    assert fake_server.all_seats_free()


def test_the_client_comes_back_when_the_server_says(fake_server: RunningServer) -> None:
    """All places are taken at its first request, and one is given back after that."""
    waits: list[float] = []
    with ExitStack() as taken:
        slots = fake_server.core.conversation_slots
        while slots.taken < fake_server.core.config.limits.sessions:
            taken.enter_context(holding(slots))

        def make_room(response: Any) -> None:
            if response.status_code == 429:
                waits.append(float(response.headers["retry-after"]))
                taken.close()

        with OpenAI(
            base_url=f"{fake_server.http}/v1",
            api_key="unused",
            max_retries=1,
            http_client=DefaultHttpxClient(event_hooks={"response": [make_room]}),
        ) as client:
            began = time.monotonic()
            raw = client.chat.completions.with_raw_response.create(model="gpt-audio", messages=user("Hi"))
            took = time.monotonic() - began
    assert raw.retries_taken == 1
    assert raw.parse().choices[0].message.content == "You said: Hi"
    (wait,) = waits
    assert took >= wait > 0


def test_a_client_that_does_not_come_back_is_told(fake_server: RunningServer, client: OpenAI) -> None:
    slots = fake_server.core.conversation_slots
    with ExitStack() as taken:
        while slots.taken < fake_server.core.config.limits.sessions:
            taken.enter_context(holding(slots))
        with pytest.raises(RateLimitError) as refused:
            client.chat.completions.create(model="gpt-audio", messages=user("Hi"))
    assert refused.value.code == "rate_limit_exceeded"
    assert fake_server.all_seats_free()


# ---- the real models


@pytest.fixture
def real_client(real_server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{real_server.http}/v1", api_key="unused", max_retries=0, timeout=180) as client:
        yield client


@pytest.mark.real
@pytest.mark.parametrize("format", ["wav", "mp3"])
def test_a_spoken_question_is_answered(real_client: OpenAI, format: Literal["wav", "mp3"]) -> None:
    completion = real_client.chat.completions.create(
        model="step-audio-2",
        modalities=["text", "audio"],
        audio={"voice": "qingchunshaonv", "format": format},
        messages=user(stepfun_audio(wav(spoken("What is the capital of France?")))),
    )
    audio = completion.choices[0].message.audio
    assert audio is not None
    assert "Paris" in audio.transcript
    heard = real_client.audio.transcriptions.create(
        model="whisper-1", file=(f"answer.{format}", base64.b64decode(audio.data))
    )
    assert "paris" in heard.text.lower()


def asked_aloud(client: OpenAI, question: str, **more: Any) -> tuple[str, bytes, list[ChatCompletionChunk]]:
    """The transcript and the speech (PCM16) of a streamed answer to a spoken question, and the chunks it came in."""
    transcript, speech = "", b""
    chunks = list(
        client.chat.completions.create(
            model="step-audio-2",
            modalities=["text", "audio"],
            audio={"voice": "qingchunshaonv", "format": "pcm16"},
            messages=user(stepfun_audio(wav(spoken(question)))),
            stream=True,
            **more,
        )
    )
    for chunk in chunks:
        for choice in chunk.choices:
            if choice.delta.audio is not None:
                transcript += choice.delta.audio.transcript or ""
                speech += base64.b64decode(choice.delta.audio.data or "")
    assert chunks[-1].choices[0].finish_reason == "stop"
    return transcript, speech, chunks


def heard(client: OpenAI, speech: bytes) -> str:
    """What the recogniser makes of an answer."""
    return client.audio.transcriptions.create(model="whisper-1", file=("answer.wav", wav(speech))).text


@pytest.mark.real
def test_a_spoken_stream_says_what_its_transcript_says(real_client: OpenAI) -> None:
    transcript, speech, _ = asked_aloud(real_client, "What is the capital of France?")
    assert "Paris" in transcript
    errors, words = count_errors(transcript, heard(real_client, speech), "en")
    assert errors <= 0.2 * words


@pytest.mark.real
def test_what_is_said_while_a_search_takes_its_time_is_heard(real_client: OpenAI, web: Web) -> None:
    web.searxng.results.clear()
    web.searxng.find(
        "https://example.org/ferry", "Ferry times", "Tomorrow the ferry leaves at seventeen minutes past nine."
    )
    web.searxng.delay_s = 3.0
    try:
        transcript, speech, chunks = asked_aloud(
            real_client, "Search the web, when does the ferry leave tomorrow?", tools=[SEARCH]
        )
    finally:
        web.searxng.delay_s = 0.0
    assert transcript.startswith("Let me look that up.")
    assert "ferry" in web.searxng.queries[-1]["q"].lower()
    said = heard(real_client, speech).lower()
    assert "look that up" in said
    assert "9" in said or "nine" in said
    deltas = [choice.delta.model_dump(exclude_unset=True) for chunk in chunks for choice in chunk.choices]
    spoken_at = next(at for at, delta in enumerate(deltas) if (delta.get("audio") or {}).get("data"))
    found_at = next(at for at, delta in enumerate(deltas) if delta.get("tool_calls"))
    assert spoken_at < found_at, "the words were said when the search was over"


@pytest.mark.real
def test_an_answer_in_json_with_the_real_model(real_client: OpenAI) -> None:
    completion = real_client.chat.completions.parse(
        model="step-audio-2-mini",
        messages=user("Two seats to Rome, please."),
        response_format=Trip,
        logprobs=True,
        max_tokens=60,
    )
    (choice,) = completion.choices
    assert choice.finish_reason == "stop"
    assert choice.message.parsed is not None
    assert (choice.message.parsed.city, choice.message.parsed.slots) == ("Rome", 2)
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(token.token for token in choice.logprobs.content).startswith('{"city": "Rome"')
    assert all(token.logprob <= 0 for token in choice.logprobs.content)


@pytest.mark.real
def test_an_answer_in_json_that_is_cut_off_says_so(real_client: OpenAI) -> None:
    completion = real_client.chat.completions.create(
        model="step-audio-2-mini",
        messages=user("Tell me about Rome."),
        response_format={"type": "json_object"},
        max_tokens=8,
    )
    assert completion.choices[0].finish_reason == "length"


@pytest.mark.real
def test_a_function_is_called_and_its_result_told(real_client: OpenAI) -> None:
    tool: Any = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Current weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    messages = user("What is the weather in Paris?")
    wanted: Any = {"model": "step-audio-2", "tools": [tool], "max_tokens": 80}
    first = real_client.chat.completions.create(messages=messages, **wanted).choices[0]
    assert first.finish_reason == "tool_calls"
    assert first.message.tool_calls is not None
    (call,) = first.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    messages += [
        first.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "It rains, 12 degrees."},
    ]
    second = real_client.chat.completions.create(messages=messages, **wanted).choices[0]
    assert "12" in (second.message.content or "")
