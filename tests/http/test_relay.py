"""A server whose tier is another Vivavoce's: our sessions in front, theirs behind, spoken to in each of its dialects."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from running import RunningServer, Talker, running, silence, talking, tone
from vivavoce.config import load_config
from vivavoce.config.engines import FAKE_ENGINES

SECRET = "a-key-for-the-front"
KEY = {"auth": {"keys": {"front": SECRET}}}
LAMP = {"type": "function", "name": "lamp", "description": "Switches it", "parameters": {"type": "object"}}

DIALECTS = ("stepfun", "beta", "openai")
BEHIND: dict[str, dict[str, Any]] = {
    "ga": {"engine": "openai"},
    "stepfun": {"engine": "stepfun"},
    "theirs": {"engine": "openai", "settings": {"transcripts": "theirs"}},
}


@pytest.fixture(scope="module")
def back() -> Iterator[RunningServer]:
    with running(load_config({**KEY, "limits": {"sessions": 16}}, profile="fake")) as started:
        yield started


@contextmanager
def fronting(back: RunningServer, behind: dict[str, Any], **config: Any) -> Iterator[RunningServer]:
    where = {"url": f"{back.http}/v1", "api_key": SECRET, "model": "step-audio-2"}
    hosted = {**behind, "settings": {**where, **behind.get("settings", {})}}
    engines = {**FAKE_ENGINES.model_dump(), "instances": {"hosted": hosted}}
    tiers = {"served_by": {"step-audio-2": {"realtime": "hosted"}}}
    with running(load_config({"engines": engines, "tiers": tiers, **config})) as started:
        yield started


@pytest.fixture(scope="module", params=list(BEHIND))
def front(back: RunningServer, request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with fronting(back, BEHIND[request.param], tools={"builtin": ["calculator"]}) as started:
        yield started


def named(events: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] in names]


def words_of(done: dict[str, Any]) -> str:
    return " ".join(
        part.get("transcript") or part.get("text") or ""
        for item in done["response"]["output"]
        if item["type"] == "message"
        for part in item["content"]
    )


async def answered(talker: Talker) -> tuple[list[dict[str, Any]], str]:
    events = await talker.until("response.done")
    assert events[-1]["response"]["status"] == "completed", events[-1]["response"]
    return events, words_of(events[-1])


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_voice_turn(front: RunningServer, dialect: str) -> None:
    async with talking(front, f"model=step-audio-2&dialect={dialect}") as talker:
        for loud_ms in (600, 900):
            await talker.append(tone(loud_ms) + silence(1500))
            events, words = await answered(talker)
            assert words == f"You said: I heard {loud_ms} milliseconds."
            audio = named(events, "response.audio.delta", "response.output_audio.delta")
            assert sum(len(event["delta"]) for event in audio) > 50_000
            if dialect == "stepfun":
                (heard,) = named(events, "conversation.item.input_audio_transcription.completed")
                assert heard["transcript"] == f"I heard {loud_ms} milliseconds."
    assert front.all_seats_free()


async def test_what_is_typed_deleted_and_asked_apart(front: RunningServer) -> None:
    async with talking(front) as talker:
        await talker.send(type="session.update", session={"modalities": ["text"]})
        await talker.say("the first")
        await talker.say("the second")
        item = (await talker.until("conversation.item.created"))[-1]
        while "the second" not in json.dumps(item):
            item = (await talker.until("conversation.item.created"))[-1]
        await talker.send(type="conversation.item.delete", item_id=item["item"]["id"])
        await talker.send(type="response.create")
        assert (await answered(talker))[1] == "You said: the first"
        content = [{"type": "input_text", "text": "apart"}]
        await talker.send(
            type="response.create",
            response={"conversation": "none", "input": [{"type": "message", "role": "user", "content": content}]},
        )
        assert (await answered(talker))[1] == "You said: apart"
        await talker.send(type="response.create")
        assert (await answered(talker))[1] == "You said: the first"


async def test_a_recording_in_an_item(front: RunningServer) -> None:
    async with talking(front) as talker:
        audio = base64.b64encode(tone(700)).decode()
        content = [{"type": "input_audio", "audio": audio}]
        await talker.send(type="conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await talker.send(type="response.create")
        assert (await answered(talker))[1] == "You said: I heard 700 milliseconds."


async def test_push_to_talk(front: RunningServer) -> None:
    async with talking(front) as talker:
        await talker.send(type="session.update", session={"turn_detection": None})
        await talker.append(tone(300))
        await talker.send(type="input_audio_buffer.clear")
        await talker.append(tone(400))
        await talker.append(tone(400))
        await talker.send(type="input_audio_buffer.commit")
        await talker.send(type="response.create")
        assert (await answered(talker))[1] == "You said: I heard 800 milliseconds."


async def test_functions_of_the_client(front: RunningServer) -> None:
    async with talking(front) as talker:
        await talker.send(type="session.update", session={"tools": [LAMP]})
        await talker.say('Please call lamp {"on": true}')
        await talker.send(type="response.create")
        done = (await talker.until("response.done"))[-1]["response"]
        (call,) = [item for item in done["output"] if item["type"] == "function_call"]
        assert (call["name"], json.loads(call["arguments"])) == ("lamp", {"on": True})
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "it is on"}
        await talker.send(type="conversation.item.create", item=output)
        await talker.send(type="response.create")
        assert (await answered(talker))[1] == "You said: it is on"


async def test_tools_of_the_server(front: RunningServer) -> None:
    async with talking(front) as talker:
        await talker.say('Please call calculate {"expression": "6 * 7"}')
        await talker.send(type="response.create")
        events, words = await answered(talker)
        assert "42" in words
        assert not named(events, "response.function_call_arguments.delta")
        await talker.say("and now")
        await talker.send(type="response.create")
        assert (await answered(talker))[1] == "You said: and now"


async def test_interruption(front: RunningServer, back: RunningServer) -> None:
    async with talking(front) as talker:
        await talker.say("word " * 300)
        await talker.send(type="response.create")
        await talker.until("response.audio.delta")
        await talker.append(tone(800) + silence(1500))
        done = (await talker.until("response.done"))[-1]["response"]
        assert done["status"] == "cancelled"
        assert len(done["output"][0]["content"][0]["transcript"]) < 200
        assert (await answered(talker))[1] == "You said: I heard 800 milliseconds."
    assert front.all_seats_free()
    assert back.all_seats_free()


async def test_the_stateless_endpoint(front: RunningServer, back: RunningServer) -> None:
    """All of its responses are out of band, so each has a connection of its own behind."""
    async with connect(f"{front.ws}/v1/realtime/stateless?model=step-audio-2", max_size=None) as socket:
        talker = Talker(socket)
        for words in ("Hello", "And again"):
            content = [{"type": "input_text", "text": words}]
            history = [{"type": "message", "role": "user", "content": content}]
            await talker.send(type="response.create", response={"modalities": ["text"], "history": history})
            events = await talker.until("response.done")
            text = "".join(event["delta"] for event in events if event["type"] == "response.raw_text.delta")
            assert text == f"You said: {words}"
            await talker.send(type="session.restore")
            await talker.until("session.restored")
    assert back.all_seats_free()


def test_readiness_asks_it(front: RunningServer) -> None:
    checks = httpx.get(f"{front.http}/readyz", timeout=10).json()["checks"]
    assert checks["engine hosted"]["ok"]
