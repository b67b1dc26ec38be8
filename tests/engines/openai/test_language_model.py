"""A language model behind a chat completions endpoint: what it is asked, what is made of its answers, and every fault."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from openai_stub import (
    DONE,
    Asked,
    HangUp,
    Pause,
    Script,
    Step,
    Stub,
    calls,
    chunk,
    event,
    said,
    status,
    streamed,
    stub,
    usage,
    whole,
)
from vivavoce.engines.base import EngineContext
from vivavoce.engines.openai.language_model import OpenAILanguageModel, load
from vivavoce.engines.remote import client as remote_client
from vivavoce.engines.remote.settings import RemoteSettings
from vivavoce.errors import EngineError
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    NamedTool,
    TextDelta,
    ThinkingDelta,
    TokenScores,
    Tool,
    ToolCall,
    ToolCallDelta,
)

KEY = "sk-very-secret"
ASKED = (Message("system", "You are a voice."), Message("user", "Hello?"))
WEATHER = Tool("get_weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}})
LIGHT = Tool("set_light", "A light", {"type": "object", "properties": {"on": {"type": "boolean"}}})
PARIS = '{"city": "Paris"}'


@asynccontextmanager
async def endpoint(*scripts: Script, **settings: Any) -> AsyncIterator[tuple[Stub, OpenAILanguageModel]]:
    async with stub(*scripts) as served:
        for name in settings.pop("extra_fields", ()):
            served.extra_fields.add(name)
        served.models = settings.pop("models", served.models)
        values = {"url": served.url, "model": "served", "api_key": KEY, **settings}
        context = EngineContext(
            weights=lambda name: pytest.fail(name), threads=1, capacity=2, settings=values, name="large"
        )
        model = await asyncio.to_thread(load, context)
        served.connections = 0
        try:
            yield served, model
        finally:
            await model.close()


async def replied(
    model: OpenAILanguageModel, messages: tuple[Message, ...] = ASKED, **options: Any
) -> list[GenerationEvent]:
    return [event async for event in model.generate(messages, GenerationOptions(**options))]


def words(events: list[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thoughts(events: list[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def made(events: list[GenerationEvent]) -> list[tuple[str, str]]:
    """Whole calls, of which the deltas before them are the same."""
    whole_calls = [event for event in events if isinstance(event, ToolCall)]
    for call in whole_calls:
        parts = [event.arguments for event in events if isinstance(event, ToolCallDelta) and event.id == call.id]
        assert "".join(parts) == call.arguments
    return [(call.name, call.arguments) for call in whole_calls]


def always(steps: list[Step]) -> Script:
    return lambda asked: steps


# ---- replies


async def test_words_stream_and_usage_is_told() -> None:
    counted = streamed(
        chunk({"content": "Hello"}), chunk({"content": " you."}), chunk({}, "stop"), usage(40, 3, 32), DONE
    )
    async with endpoint(always(counted)) as (served, model):
        events = await replied(model, seed=7, stop=("END",), frequency_penalty=0.5, max_tokens=9)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Hello", " you."]
    assert events[-1] == GenerationEnd("stop", 40, 32, 3)
    (asked,) = served.posts()
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.json == {
        "model": "served",
        "messages": [{"role": "system", "content": "You are a voice."}, {"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["END"],
        "frequency_penalty": 0.5,
    }


async def test_the_first_word_comes_before_the_last_is_written() -> None:
    slow = streamed(chunk({"content": "Now"}), Pause(0.5), chunk({"content": " then."}), chunk({}, "stop"), DONE)
    async with endpoint(always(slow)) as (_, model):
        started = time.monotonic()
        async with aclosing(model.generate(ASKED, GenerationOptions())) as events:
            assert await anext(events) == TextDelta("Now")
            assert time.monotonic() - started < 0.4


@pytest.mark.parametrize(
    "parts",
    [
        (chunk({"reasoning_content": "Let me"}), chunk({"reasoning_content": " see."}), chunk({"content": "Yes."})),
        (chunk({"reasoning": "Let me see."}), chunk({"content": "Yes."})),
        (chunk({"content": "<thi"}), chunk({"content": "nk>Let me see.</th"}), chunk({"content": "ink>\n\nYes."})),
        (
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]}]}),
            chunk({"content": [{"type": "text", "text": "Yes."}]}),
        ),
    ],
)
async def test_thoughts_are_told_from_words(parts: tuple[bytes, ...]) -> None:
    async with endpoint(always(streamed(*parts, chunk({}, "stop"), DONE))) as (_, model):
        events = await replied(model)
    assert (thoughts(events), words(events)) == ("Let me see.", "Yes.")


async def test_thoughts_that_the_template_opens_and_more_tokens_for_them() -> None:
    opened = streamed(chunk({"content": "Hm, so.</think>Yes."}), chunk({}, "stop"), DONE)
    async with endpoint(always(opened), thinking="open", thinking_tokens=1000) as (served, model):
        events = await replied(model, max_tokens=50)
    assert (thoughts(events), words(events)) == ("Hm, so.", "Yes.")
    assert served.posts()[0].json["max_tokens"] == 1050


async def test_parallel_calls_stream_their_arguments() -> None:
    parts = (
        {"index": 0, "id": "a", "type": "function", "function": {"name": "get_weather", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"city": '}},
        {"index": 0, "function": {"arguments": '"Paris"}'}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "set_light", "arguments": '{"on": true}'}},
    )
    async with endpoint(always(calls(*parts, words=["Let me see."]))) as (served, model):
        events = await replied(model, tools=(WEATHER, LIGHT))
        await replied(model, tools=(WEATHER, LIGHT), tool_choice=NamedTool("set_light"))
        await replied(model, tools=(WEATHER, LIGHT), tool_choice="required", parallel_tool_calls=False)
        one = await replied(model, tools=(WEATHER, LIGHT), parallel_tool_calls=False)
    assert words(events) == "Let me see."
    assert made(events) == [("get_weather", PARIS), ("set_light", '{"on": true}')]
    assert [event.id for event in events if isinstance(event, ToolCall)] == ["a", "b"]
    deltas = [event.arguments for event in events if isinstance(event, ToolCallDelta)]
    assert deltas == ['{"city": ', '"Paris"}', '{"on": true}']
    assert events[-1] == GenerationEnd("tool_calls", 12, 0, 5)
    assert made(one) == [("get_weather", PARIS)]
    first, named, required, _ = (asked.json for asked in served.posts())
    assert [tool["function"]["name"] for tool in first["tools"]] == ["get_weather", "set_light"]
    assert (first["tool_choice"], "parallel_tool_calls" in first) == ("auto", False)
    assert named["tool_choice"] == {"type": "function", "function": {"name": "set_light"}}
    assert (required["tool_choice"], required["parallel_tool_calls"]) == ("required", False)


@pytest.mark.parametrize(
    "steps",
    [
        # Ollama: no index, whole at once, all ids anew
        calls(
            {"id": "a", "function": {"name": "get_weather", "arguments": PARIS}},
            {"id": "b", "function": {"name": "set_light", "arguments": "{}"}},
        ),
        # without ids, the name again in every piece
        calls(
            {"index": 0, "function": {"name": "get_weather", "arguments": '{"city": '}},
            {"index": 0, "function": {"name": "get_weather", "arguments": '"Paris"}'}},
            {"index": 1, "function": {"name": "set_light", "arguments": {}}},
        ),
        # nothing for arguments there are none of
        calls(
            {"index": 0, "id": "a", "function": {"name": "get_weather", "arguments": PARIS}},
            {"index": 1, "id": "b", "function": {"name": "set_light"}},
        ),
        # a server that does not stream
        whole(
            {
                "choices": [
                    {
                        "index": 0,
                        "message": {
                            "role": "assistant",
                            "content": None,
                            "tool_calls": [
                                {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": PARIS}},
                                {"id": "b", "type": "function", "function": {"name": "set_light", "arguments": "{}"}},
                            ],
                        },
                        "finish_reason": "tool_calls",
                    }
                ],
                "usage": {"prompt_tokens": 12, "completion_tokens": 5},
            }
        ),
        # left in the text by a server that does not know how its model calls
        said("<tool_call>\n", '{"name": "get_weather", "arguments": {"city": "Paris"}}', "</tool_call>",
             '<tool_call>{"name": "set_light", "arguments": {}}</tool_call>'),
        said("```json\n[", '{"name": "get_weather", "parameters": {"city": "Paris"}},', '{"name": "set_light"}]\n```'),
    ],
)  # fmt: skip
async def test_calls_in_every_shape_servers_give_them(steps: list[Step]) -> None:
    async with endpoint(always(steps)) as (_, model):
        events = await replied(model, tools=(WEATHER, LIGHT))
    assert made(events) == [("get_weather", PARIS), ("set_light", "{}")]
    assert words(events) == ""
    assert len({event.id for event in events if isinstance(event, ToolCall)}) == 2
    end = events[-1]
    assert isinstance(end, GenerationEnd)
    assert end.reason == "tool_calls"


async def test_json_that_calls_nothing_is_an_answer() -> None:
    async with endpoint(always(said('{"name": ', '"Paris"}'))) as (_, model):
        assert words(await replied(model, tools=(WEATHER,))) == '{"name": "Paris"}'
        assert words(await replied(model, schema={"type": "object"})) == '{"name": "Paris"}'


async def test_tools_that_are_withheld_are_not_told() -> None:
    async with endpoint(always(said("Fine."))) as (served, model):
        await replied(model, tools=(WEATHER, LIGHT), withheld=frozenset({"set_light"}))
    assert [tool["function"]["name"] for tool in served.posts()[0].json["tools"]] == ["get_weather"]


async def test_a_server_that_calls_although_it_must_not_is_asked_for_words() -> None:
    call = calls({"index": 0, "id": "a", "function": {"name": "get_weather", "arguments": PARIS}})
    async with endpoint(always(call), always(said("Sunny."))) as (served, model):
        events = await replied(model, tools=(WEATHER,), tool_choice="none")
    assert (words(events), made(events)) == ("Sunny.", [])
    first, second = (asked.json for asked in served.posts())
    assert first["tool_choice"] == "none"
    assert "tools" not in second


async def test_a_call_of_no_tool_on_offer_is_an_error() -> None:
    call = calls({"index": 0, "id": "a", "function": {"name": "rm", "arguments": "{}"}})
    async with endpoint(always(call), retries=0) as (_, model):
        with pytest.raises(EngineError, match="not on offer"):
            await replied(model, tools=(WEATHER,))


REPEATING = (
    *ASKED,
    Message("assistant", "", (ToolCall("a", "get_weather", PARIS),)),
    Message("tool", "Sunny.", tool_call_id="a"),
)


async def test_a_call_just_answered_is_made_again_only_by_models_that_may() -> None:
    call = calls({"index": 0, "id": "b", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}})
    async with endpoint(always(call)) as (_, model):
        assert made(await replied(model, REPEATING, tools=(WEATHER,))) == [("get_weather", '{"city":"Paris"}')]
    async with endpoint(always(call), always(said("It is sunny.")), aids=["repeats"]) as (served, model):
        assert words(await replied(model, REPEATING, tools=(WEATHER,))) == "It is sunny."
    assert served.posts()[1].json["tool_choice"] == "none"


async def test_results_stand_behind_their_calls() -> None:
    messages = (
        *ASKED,
        Message("assistant", "", (ToolCall("a", "get_weather", PARIS), ToolCall("b", "set_light", "on"))),
        Message("user", "And?"),
        Message("tool", "Sunny.", tool_call_id="a"),
        Message("tool", "Lost.", tool_call_id="gone"),
    )
    async with endpoint(always(said("Well."))) as (served, model):
        await replied(model, messages)
    sent = served.posts()[0].json["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "tool", "user", "system"]
    assert [call["function"]["arguments"] for call in sent[2]["tool_calls"]] == [PARIS, '{"arguments": "on"}']
    assert [(message["tool_call_id"], message["content"]) for message in sent[3:5]] == [
        ("a", "Sunny."), ("b", "(There is no result yet.)"),
    ]  # fmt: skip
    assert "Lost." in sent[6]["content"]


async def test_log_probabilities_come_before_their_text() -> None:
    scores = {"content": [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105],
                           "top_logprobs": [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105]},
                                            {"token": "Yo", "logprob": -2.5, "bytes": None}]}]}  # fmt: skip
    async with endpoint(always(streamed(chunk({"content": "Hi"}, logprobs=scores), chunk({}, "stop"), DONE))) as (
        served,
        model,
    ):
        events = await replied(model, logprobs=2)
    assert isinstance(events[0], TokenScores)
    (token,) = events[0].tokens
    assert (token.token, token.raw, token.logprob) == ("Hi", b"Hi", -0.1)
    assert [(other.token, other.raw) for other in token.others] == [("Hi", b"Hi"), ("Yo", b"Yo")]
    assert events[1] == TextDelta("Hi")
    assert (served.posts()[0].json["logprobs"], served.posts()[0].json["top_logprobs"]) == (True, 2)


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        ({"type": "object"}, {"type": "json_object"}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"type": "json_schema",
             "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}},
        ),
        (
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            {"type": "json_schema",
             "json_schema": {"name": "answer", "strict": True,
                             "schema": {"type": "object", "properties": {}, "required": [], "additionalProperties": False}}},
        ),
    ],
)  # fmt: skip
async def test_a_schema_is_a_response_format(schema: dict[str, Any], form: dict[str, Any]) -> None:
    async with endpoint(always(said("{}"))) as (served, model):
        await replied(model, schema=schema)
    assert served.posts()[0].json["response_format"] == form


async def test_fields_of_ones_own_and_fields_left_out() -> None:
    async with endpoint(
        always(said("Fine.")),
        extra_fields=("chat_template_kwargs",),
        body={"chat_template_kwargs": {"enable_thinking": False}, "temperature": 0.1},
        omit=["top_p"],
        roles={"user": "human"},
    ) as (served, model):
        await replied(model)
    body = served.posts()[0].json
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert (body["temperature"], "top_p" in body, body["messages"][1]["role"]) == (0.1, False, "human")


# ---- what is not asked


async def test_nothing_is_asked_for_a_prefill_unless_it_is_welcome() -> None:
    async with endpoint(always(said("x"))) as (served, model):
        assert await replied(model, max_tokens=0) == [GenerationEnd("stop")]
        assert not served.posts()
    async with endpoint(always(said("x")), prefill=True) as (served, model):
        (end,) = await replied(model, max_tokens=0)
        assert end == GenerationEnd("stop", 12, 0, 0)
        assert served.posts()[0].json["max_tokens"] == 1


async def test_a_prefill_that_fails_is_no_failure() -> None:
    async with endpoint(always(status(503, {})), prefill=True) as (_, model):
        assert await replied(model, max_tokens=0) == [GenerationEnd("stop")]


# ---- going on


@pytest.mark.parametrize(
    ("owner", "flags", "last"), [("vllm", True, "assistant"), ("llamacpp", False, "assistant"), ("me", False, "system")]
)
async def test_a_reply_is_continued_as_the_server_can(owner: str, flags: bool, last: str) -> None:
    begun = (*ASKED, Message("assistant", "One, two,"))
    answer = always(said("One, two,", " three."))
    models = [{"id": "served", "owned_by": owner, "max_model_len": 2048}]
    extra = ("continue_final_message", "add_generation_prompt")
    async with endpoint(answer, models=models, extra_fields=extra) as (served, model):
        assert model.context_tokens == 2048
        events = await replied(model, begun, continue_last_message=True)
    body = served.posts()[0].json
    assert (body.get("continue_final_message"), body.get("add_generation_prompt")) == (
        (True, False) if flags else (None, None)
    )
    assert body["messages"][-1]["role"] == last
    assert words(events) == (" three." if last == "system" else "One, two, three.")


# ---- what servers refuse


async def test_a_server_is_asked_as_it_wants_and_that_is_remembered() -> None:
    def strict(asked: Asked) -> list[Step]:
        body = asked.json
        if "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
            return status(400, {"error": {"message": text, "param": "max_tokens", "code": "unsupported_parameter"}})
        if "temperature" in body:
            text = "Unsupported value: 'temperature' does not support 0.7 with this model."
            return status(400, {"error": {"message": text, "param": "temperature", "code": "unsupported_value"}})
        if any(message["role"] == "system" for message in body["messages"][1:]):
            return status(400, {"object": "error", "message": "System message must be at the beginning.", "code": 400})
        return said("Fine.")

    messages = (*ASKED, Message("system", "Be brief."))
    async with endpoint(strict) as (served, model):
        assert words(await replied(model, messages)) == "Fine."
        assert len(served.posts()) == 4
        assert words(await replied(model, messages)) == "Fine."
        assert len(served.posts()) == 5
    assert served.posts()[-1].json["messages"][-1] == {"role": "user", "content": "Hello?\n\nBe brief."}


async def test_a_prompt_that_is_too_long_is_shortened() -> None:
    def narrow(asked: Asked) -> list[Step]:
        size = len(json.dumps(asked.json["messages"]))
        if size > 4000:
            text = f"This model's maximum context length is 1000 tokens. However, your request has {size // 4} input tokens."
            return status(400, {"object": "error", "message": text, "type": "BadRequestError", "code": 400})
        return said("Fine.")

    long = tuple(Message(role, "word " * 100) for role in ("user", "assistant") * 10)
    async with endpoint(narrow) as (served, model):
        assert words(await replied(model, (ASKED[0], *long, ASKED[1]))) == "Fine."
        assert model.context_tokens == 1000
    sent = served.posts()[-1].json["messages"]
    assert (sent[0]["content"], sent[-1]["content"]) == ("You are a voice.", "Hello?")


# ---- faults

KEEP_ALIVES: list[Step] = [b": ping\n\n", Pause(0.1)] * 50
HEAD = chunk({"role": "assistant", "content": ""})
FAULTS: dict[str, tuple[list[Step], str]] = {
    "stalls before its answer": ([Pause(30)], "did not begin to answer"),
    "stalls before its first token": (streamed(HEAD, b": ping\n\n", Pause(30)), "did not begin to answer"),
    "stalls between tokens": (streamed(HEAD, chunk({"content": "Well"}), Pause(30)), "sent nothing more for 0.3 s"),
    "keep-alives are no tokens": (
        streamed(HEAD, chunk({"content": "Well"}), *KEEP_ALIVES), "sent nothing more for 0.3 s",
    ),
    "half a chunk": (streamed(HEAD, chunk({"content": "Well"})[:-20], HangUp()), "without an answer"),
    "half a chunk in mid-reply": (streamed(chunk({"content": "Well"}), HEAD[:-20], HangUp()), "in the middle"),
    "ends in mid-reply": (streamed(chunk({"content": "Well"})), "in the middle"),
    "closes at once": ([HangUp()], "without an answer"),
    "500": (status(500, {"error": {"message": f"out of memory at 10.0.0.5 {KEY}"}}), r"failed \(500\)"),
    "500 in mid-stream": (
        streamed(chunk({"content": "Well"}), event({"error": {"message": f"10.0.0.5 {KEY}", "code": 500}})), "failed in the",
    ),
    "no JSON": (streamed(chunk({"content": "Well"}), b"data: {nonsense\n\n"), "no chat completion"),
    "another JSON": (streamed(event({"choices": "none"})), "no chat completion"),
    "a page": (whole(b"<html>", headers={"content-type": "text/html"}), "without an answer"),
    "401": (status(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}), r"refuses the key \(401\)"),
    "404": (status(404, {"error": {"message": "no such model"}}), r"no such model or endpoint \(404\)"),
    "429": (status(429, {"error": {}}, retry_after="60"), r"too many requests \(429\)"),
    "arguments that are no JSON": (
        calls({"index": 0, "id": "a", "function": {"name": "get_weather", "arguments": '{"city": '}}), "no chat completion",
    ),
    "content filter": (streamed(chunk({}, "content_filter"), DONE), "content filter"),
}  # fmt: skip
FAST = {"first_s": 0.5, "between_s": 0.3, "retries": 0}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_an_error_in_time_that_tells_no_secret(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    steps, message = FAULTS[fault]
    async with endpoint(always(steps), **FAST) as (served, model):
        started = time.monotonic()
        with pytest.raises(EngineError, match=message) as failed:
            await replied(model, tools=(WEATHER,))
        assert time.monotonic() - started < 1.5
    assert failed.value.engine == "large"
    assert KEY not in caplog.text
    for secret in (KEY, "127.0.0.1", str(served.port), "10.0.0.5"):
        assert secret not in str(failed.value)


async def test_a_server_that_is_not_there_is_away_at_once() -> None:
    async with endpoint(always(said("x")), **FAST) as (served, model):
        pass
    context = EngineContext(
        weights=lambda name: pytest.fail(name), threads=1, capacity=1, name="large",
        settings={"url": served.url, "model": "served", **FAST},
    )  # fmt: skip
    model = await asyncio.to_thread(load, context)
    assert model.context_tokens == 8192
    assert await model.health() == "cannot be reached"
    with pytest.raises(EngineError, match="large: cannot be reached"):
        await replied(model)
    await model.close()


async def test_what_fails_before_the_first_token_is_tried_again() -> None:
    scripts = (always(status(503, {})), always([HangUp()]), always(said("Fine.")))
    async with endpoint(*scripts) as (served, model):
        assert words(await replied(model)) == "Fine."
        assert len(served.posts()) == 3


async def test_a_connection_that_was_not_kept_costs_no_attempt() -> None:
    """Some servers close a connection behind an answer, in the moment the next request goes out on it."""
    answers = (always(said("Well.")), always([HangUp()]), always(said("Again.")))
    async with endpoint(*answers, retries=0) as (served, model):
        assert words(await replied(model)) == "Well."
        assert words(await replied(model)) == "Again."
        assert (len(served.posts()), served.connections) == (3, 2)


async def test_a_new_connection_that_is_closed_is_a_failure() -> None:
    async with endpoint(always([HangUp()]), retries=0) as (served, model):
        with pytest.raises(EngineError):
            await replied(model)
        assert len(served.posts()) == 1


async def test_retry_after_is_kept_to() -> None:
    async with endpoint(always(status(429, {}, retry_after="0.4")), always(said("Fine."))) as (_, model):
        started = time.monotonic()
        assert words(await replied(model)) == "Fine."
        assert time.monotonic() - started >= 0.4


async def test_nothing_is_said_twice() -> None:
    broken = streamed(chunk({"content": "Well"}), HangUp())
    async with endpoint(always(broken), always(said("Fine."))) as (served, model):
        with pytest.raises(EngineError):
            await replied(model)
        assert len(served.posts()) == 1


async def test_after_some_failures_it_is_left_alone_for_a_while() -> None:
    async with endpoint(always(status(500, {})), retries=0, failures=2, pause_s=0.3) as (served, model):
        for _ in range(4):
            with pytest.raises(EngineError):
                await replied(model)
        assert len(served.posts()) == 2
        assert await model.health() == "failed (500)"
        served.answers(always(said("Fine.")))
        await asyncio.sleep(0.35)
        assert words(await replied(model)) == "Fine."
        assert await model.health() is None


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ([{"id": "served"}], None),
        ([{"id": "other"}], "does not list the model it is asked for"),
        ([{"id": "other"}, {"id": "served:latest", "owned_by": "library"}], None),
        ([{"id": "other", "owned_by": "llamacpp"}], None),
        ([], None),
    ],
)
async def test_a_model_that_is_not_listed_is_told_until_it_answers(
    models: list[dict[str, Any]], reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_client, "HEALTH_INTERVAL_S", 0.0)
    async with endpoint(always(said("Fine."))) as (served, model):
        served.models = models
        assert await model.health() == reason
        await replied(model)
        assert await model.health() is None


@pytest.mark.parametrize(
    ("code", "says", "reason"),
    [
        (401, "No.", "refuses the key (401)"),
        (404, "No.", "knows no such model or endpoint (404)"),
        (429, "insufficient_quota", "has no quota left (429)"),
        (400, "No.", None),
        (429, "Too fast.", None),
    ],
)
async def test_a_refusal_that_lasts_is_told_until_it_answers(code: int, says: str, reason: str | None) -> None:
    async with endpoint(always(status(code, {"error": {"code": says, "message": says}})), retries=0) as (served, model):
        served.models = [{"id": "other"}] if reason else served.models  # less than what a request has met
        with pytest.raises(EngineError):
            await replied(model)
        assert await model.health() == reason
        served.answers(always(said("Fine.")))
        await replied(model)
        assert await model.health() is None


async def test_an_address_without_a_list_of_models_is_doubted(caplog: pytest.LogCaptureFixture) -> None:
    async with endpoint(always(status(404, {}))) as (served, _):
        context = EngineContext(
            weights=lambda name: pytest.fail(name), threads=1, capacity=1, name="large",
            settings={"url": served.url.removesuffix("/v1"), "model": "served", **FAST},
        )  # fmt: skip
        model = await asyncio.to_thread(load, context)
        assert "should be the base, which mostly ends in /v1" in str(await model.health())
        with pytest.raises(EngineError, match="knows no such model or endpoint"):
            await replied(model)
        assert "large answered 404 at /chat/completions" in caplog.text  # the log says where it was asked
        await model.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("10.0.0.5:8000/v1", "must be an address such as http://10.0.0.5:8000/v1"),
        ("http://me:key@10.0.0.5/v1", "must be an address such as"),
        ("http://10.0.0.5/v1?key=1", "must be an address such as"),
        ("http:///v1", "must be an address such as"),
        ("http://10.0.0.5:8000/v1/chat/completions", "must be the base address, without /chat/completions"),
        ("https://api.openai.com/v1/models/", "must be the base address, without /models"),
    ],
)
def test_a_url_that_is_no_base_address_is_told(url: str, told: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(told)) as wrong:
        RemoteSettings.model_validate({"url": url, "model": "served"})
    assert "Value error" not in str(wrong.value)


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000", "https://a.example/proxy/models/v1", "http://[::1]:8000/v1/"])
def test_any_base_address_is_taken(url: str) -> None:
    assert RemoteSettings.model_validate({"url": url, "model": "served"}).url == url


async def test_cancelling_closes_the_connection_at_once() -> None:
    endless = streamed(chunk({"content": "Well"}), Pause(30))
    async with endpoint(always(endless)) as (served, model):
        async with aclosing(model.generate(ASKED, GenerationOptions())) as events:
            await anext(events)
        async with asyncio.timeout(1):
            await served.posts()[0].closed_early.wait()
        served.answers(always(said("Fine.")))
        assert words(await replied(model)) == "Fine."


async def test_connections_are_used_again() -> None:
    async with endpoint(always(said("Fine."))) as (served, model):
        for _ in range(4):
            await replied(model)
        assert served.connections == 1


def test_wrong_settings_are_named() -> None:
    wrong_settings: list[dict[str, Any]] = [
        {"url": "10.0.0.5"}, {"modle": "x"}, {"body": {"messages": []}}, {"client_key": "/nowhere"}, {"ca_file": "/nowhere"},
    ]  # fmt: skip
    for wrong in wrong_settings:
        values = {"url": "http://127.0.0.1:1/v1", "model": "m", **wrong}
        with pytest.raises(ValidationError):
            load(EngineContext(weights=lambda name: pytest.fail(name), threads=1, capacity=1, settings=values))


# ---- Step-Audio on StepFun's vLLM, as its documentation shows the wire


async def test_step_audio_r1_thinks_first_and_has_roles_of_its_own() -> None:
    thinking = streamed(
        chunk({"role": "assistant", "content": ""}), chunk({"content": "The user greets"}), chunk({"content": " me.\n</thi"}),
        chunk({"content": "nk>\n\nHello"}), chunk({"content": " you."}), chunk({}, "stop"), usage(30, 12), DONE,
    )  # fmt: skip
    async with endpoint(
        always(thinking),
        extra_fields=("stop_token_ids", "repetition_penalty"),
        roles={"user": "human", "tool": "input"},
        thinking="open",
        thinking_tokens=2048,
        body={"stop_token_ids": [151665], "repetition_penalty": 1.05},
    ) as (served, model):
        events = await replied(model, REPEATING, tools=(WEATHER,), parallel_tool_calls=False, max_tokens=100)
    assert (thoughts(events).strip(), words(events)) == ("The user greets me.", "Hello you.")
    body = served.posts()[0].json
    assert [message["role"] for message in body["messages"]] == ["system", "human", "assistant", "input"]
    assert (body["max_tokens"], body["stop_token_ids"], body["parallel_tool_calls"]) == (2148, [151665], False)
