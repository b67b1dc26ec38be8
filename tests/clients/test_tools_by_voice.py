"""Tools asked for aloud, with the real models: what is said in the end is what the tools found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clients.conftest import Web
from clients.openai_python import SPELLINGS, Caller, calling
from clients.speaking import spoken
from running import RunningServer, Talker, talking
from tools.desk import running_desk

pytestmark = pytest.mark.real

VAD = {"type": "server_vad", "silence_duration_ms": 500}
SEARCH = {"type": "web_search", "function": {"options": {"timeout_seconds": 20}}}
NEWS = "Search the web, when does the ferry leave tomorrow?"


@pytest.fixture(scope="module")
def desk() -> Iterator[str]:
    with running_desk() as url:
        yield url


@asynccontextmanager
async def listening(server: RunningServer, *tools: Any) -> AsyncIterator[Talker]:
    async with talking(server) as talker:
        vad = {"type": "server_vad", "silence_duration_ms": 500}
        await talker.send(type="session.update", session={"tools": list(tools), "turn_detection": vad})
        await talker.until("session.updated")
        yield talker


async def speak(talker: Talker, audio: bytes) -> None:
    for at in range(0, len(audio), 9600):
        await talker.append(audio[at : at + 9600])


def words(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.audio_transcript.delta")


async def test_the_news_is_what_the_search_found(real_server: RunningServer, web: Web) -> None:
    web.searxng.results.clear()
    web.searxng.find(
        "https://example.org/ferry", "Ferry times", "Tomorrow the ferry leaves at seventeen minutes past nine."
    )
    async with listening(real_server, SEARCH) as talker:
        await speak(talker, spoken(NEWS))
        events = await talker.until("response.done")
    assert "ferry" in web.searxng.queries[-1]["q"].lower()
    said = words(events)
    assert "seventeen" in said or "17" in said or "nine" in said or "9" in said
    assert "http" not in said
    [item] = events[-1]["response"]["output"]
    assert item["metadata"]["citations"][0]["url"] == "https://example.org/ferry"


async def test_a_search_is_interrupted(real_server: RunningServer, web: Web) -> None:
    web.searxng.disconnected.clear()
    web.searxng.places["/search"] = "hangs"
    try:
        async with listening(real_server, SEARCH) as talker:
            await speak(talker, spoken(NEWS))
            events = await talker.until("response.audio.delta")
            assert words(events).strip() == "Let me look that up."
            await speak(talker, spoken("Stop, please tell me a joke instead."))
            events = await talker.until("response.done")
            assert events[-1]["response"]["status"] == "cancelled"
            assert await asyncio.to_thread(web.searxng.disconnected.wait, 20), "the search was given up"
    finally:
        del web.searxng.places["/search"]


async def in_ga(server: RunningServer, question: str, *tools: Any) -> tuple[Caller, list[Any]]:
    async with calling(server, SPELLINGS[0], vad=VAD, tools=tools) as caller:
        if any(tool["type"] == "mcp" for tool in tools):
            await caller.until("mcp_list_tools.completed")
        await caller.speak(spoken(question))
        return caller, await caller.until("response.done")


async def test_openai_python_calls_a_tool_server(real_server: RunningServer, desk: str) -> None:
    tool = {"type": "mcp", "server_label": "desk", "server_url": desk, "require_approval": "never"}
    caller, events = await in_ga(
        real_server, "Where is the meeting room Paris?", {**tool, "allowed_tools": ["find_room"]}
    )
    call, message = events[-1].response.output
    assert "paris" in json.loads(call.arguments)["name"].lower()
    assert call.output.endswith("is on floor 7.")
    said = message.content[0].transcript.lower()
    assert "7" in said or "seven" in said
    assert len(caller.audio(events)) > 48 * 300


async def test_openai_python_runs_a_function(real_server: RunningServer) -> None:
    lamp = {
        "type": "function",
        "name": "switch_light",
        "description": "Switch the light of a room on or off.",
        "parameters": {
            "type": "object",
            "properties": {"room": {"type": "string"}, "on": {"type": "boolean"}},
            "required": ["room", "on"],
        },
    }
    _, events = await in_ga(real_server, "Please turn on the light in the kitchen.", lamp)
    [call] = events[-1].response.output
    assert (call.type, call.name) == ("function_call", "switch_light")
    assert json.loads(call.arguments) == {"room": "kitchen", "on": True}
