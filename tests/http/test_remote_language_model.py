"""Conversations whose language model runs elsewhere: what it says is heard, and when it fails the session lives on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from http_checks import metric, readiness
from openai_stub import DONE, HangUp, Pause, Script, Step, Stub, chunk, running_stub, said, status, streamed
from running import RunningServer, Talker, running, talking
from vivavoce.config import Config, load_config


def always(steps: list[Step]) -> Script:
    return lambda asked: steps


FINE = always(said("It is", " far."))
FAST = {"first_s": 0.5, "between_s": 0.3, "retries": 0, "failures": 2, "pause_s": 0.2}


def configured(url: str, **model: Any) -> Config:
    settings = {"url": url, "model": "served", "api_key": "sk-very-secret", **FAST}
    remote = {"engine": "openai", "settings": settings, **model}
    fake = load_config(profile="fake").engines.model_dump()
    models = {"large": remote, "small": {"engine": "fake"}}
    return load_config({"limits": {"sessions": 2}, "engines": {**fake, "language_models": models}})


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Stub]:
    with running_stub(FINE) as served:
        yield served


@pytest.fixture(scope="module")
def server(elsewhere: Stub) -> Iterator[RunningServer]:
    with running(configured(elsewhere.url)) as started:
        yield started


@pytest.fixture(autouse=True)
def _fine(elsewhere: Stub) -> Iterator[None]:
    """Every test begins with an endpoint that answers, and with its breaker closed."""
    elsewhere.answers(FINE)
    elsewhere.asked.clear()
    yield
    time.sleep(0.25)


async def response(talker: Talker, text: str = "How far is the moon?", **settings: Any) -> dict[str, Any]:
    await talker.say(text)
    await talker.send(type="response.create", response=settings)
    done: dict[str, Any] = (await talker.until("response.done"))[-1]["response"]
    return done


def words(done: dict[str, Any]) -> str:
    part = done["output"][0]["content"][0]
    return str(part.get("transcript") or part.get("text"))


async def test_a_spoken_reply_and_its_usage(server: RunningServer, elsewhere: Stub) -> None:
    async with talking(server) as talker:
        done = await response(talker)
        assert (done["status"], words(done)) == ("completed", "It is far.")
        assert done["usage"]["input_tokens"] == 12
    (asked,) = elsewhere.posts()  # nothing was asked ahead of the reply
    assert asked.json["messages"][-1] == {"role": "user", "content": "How far is the moon?"}


async def test_calls_and_thoughts_reach_the_client(server: RunningServer, elsewhere: Stub) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "lamp", "arguments": '{"on": true}'}}
    thinking = [chunk({"reasoning_content": "A lamp."}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), DONE]
    elsewhere.answers(always(streamed(*thinking)), FINE)
    tool = {"type": "function", "name": "lamp", "description": "Switches it", "parameters": {"type": "object"}}
    async with talking(server) as talker:
        await talker.send(type="session.update", session={"tools": [tool]})
        await talker.say("Light, please.")
        await talker.send(type="response.create")
        events = await talker.until("response.done")
        assert "A lamp." in "".join(event["delta"] for event in events if event["type"] == "response.thinking.delta")
        arguments = [event for event in events if event["type"] == "response.function_call_arguments.done"]
        assert [event["arguments"] for event in arguments] == ['{"on": true}']
        output = {"type": "function_call_output", "call_id": arguments[0]["call_id"], "output": "done"}
        await talker.send(type="conversation.item.create", item=output)
        await talker.send(type="response.create")
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "completed"
    sent = elsewhere.posts()[-1].json["messages"]
    assert [message["role"] for message in sent[-3:]] == ["user", "assistant", "tool"]


FAULTS: dict[str, list[Step]] = {
    "stall": [Pause(30)],
    "stall between tokens": streamed(chunk({"content": "Well, "}), Pause(30)),
    "half a chunk": streamed(chunk({"content": "Well, "}), chunk({"content": "now"})[:-9], HangUp()),
    "429": status(429, {}, retry_after="30"),
    "500 in mid-stream": streamed(chunk({"content": "Well, "}), b'data: {"error": {"message": "boom"}}\n\n'),
    "wrong JSON": streamed(b"data: {nonsense\n\n"),
    "closed connection": [HangUp()],
    "a wrong key": status(401, {"error": {"message": "Incorrect API key provided: sk-very-secret"}}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_fails_the_response_and_nothing_else(server: RunningServer, elsewhere: Stub, fault: str) -> None:
    elsewhere.answers(always(FAULTS[fault]))
    async with talking(server) as talker:
        started = time.monotonic()
        done = await response(talker)
        assert time.monotonic() - started < 2
        assert done["status"] == "failed"
        message = done["status_details"]["error"]["message"]
        assert message.startswith("large: ")
        assert not any(secret in message for secret in ("sk-very", "127.0.0.1", str(elsewhere.port)))
        elsewhere.answers(FINE)
        assert (await response(talker))["status"] == "completed"
    assert server.all_seats_free()


@pytest.mark.parametrize("stream", [False, True])
def test_a_fault_of_a_chat_is_said(server: RunningServer, elsewhere: Stub, stream: bool) -> None:
    elsewhere.answers(always(status(500, {})))
    body = {
        "model": "step-audio-2",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": stream,
        "modalities": ["text"],
    }
    answer = httpx.post(f"{server.http}/v1/chat/completions", json=body, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_busy")
    assert answer.json()["error"]["message"] == "large: failed (500)"
    assert server.all_seats_free()


async def test_interruption_closes_the_request_at_once(server: RunningServer, elsewhere: Stub) -> None:
    elsewhere.answers(always(streamed(chunk({"content": "Well, I would say. And "}), Pause(30))))
    async with talking(server) as talker:
        await talker.say("Hi")
        await talker.send(type="response.create")
        await talker.until("response.output_item.added")
        await talker.send(type="response.cancel")
        assert (await talker.until("response.done"))[-1]["response"]["status"] == "cancelled"
        deadline = time.monotonic() + 2
        while not elsewhere.posts()[0].closed_early.is_set():
            assert time.monotonic() < deadline
            await talker.send(type="session.update", session={})
            await talker.next()


async def test_a_fallback_answers_and_readiness_says_who_is_away(caplog: pytest.LogCaptureFixture) -> None:
    with running_stub(FINE) as served:
        config = configured(served.url, fallback="small")
        with running(config) as server:
            assert readiness(server)[:2] == (200, "ready")
            assert readiness(server)[2]["engine large"] == {"ok": True, "reason": None}
            async with talking(server) as talker:
                assert words(await response(talker)) == "It is far."
                served.answers(always(status(503, {})))
                done = await response(talker, "Still there?")
                assert (done["status"], words(done)) == ("completed", "You said: Still there?")
                assert "'small' answers in place of 'large'" in caplog.text
                assert metric(server, 'vivavoce_fallbacks_total{language_model="large"}') == "1"
                served.answers(always(streamed(chunk({"content": "Well. "}), HangUp())))
                assert (await response(talker))["status"] == "failed"  # it had begun
        with running(configured("http://127.0.0.1:9/v1", fallback="small")) as server:
            code, state, checks = readiness(server)
            assert (code, state) == (200, "degraded")
            assert checks["engine large"] == {"ok": False, "reason": "cannot be reached"}
            assert metric(server, 'vivavoce_ready{check="engine large"}') == "0"
            async with talking(server) as talker:
                assert (await response(talker))["status"] == "completed"
