"""Tools asked for aloud, with the real models: what is said in the end is what the tools found."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clients.openai_python import SPELLINGS, Caller, calling
from clients.speaking import spoken, to_the_end, understood
from running import RunningServer, Talker, silence, talking
from tools.desk import running_desk
from tools.web_search.providing import Web

pytestmark = pytest.mark.real

PATIENCE_S = 300.0
"""For one event, on however slow a machine."""

VAD = {"type": "server_vad", "silence_duration_ms": 500}
SEARCH = {"type": "web_search", "function": {"options": {"timeout_seconds": 20}}}
PATIENT_SEARCH = {"type": "web_search", "function": {"options": {"timeout_seconds": 60}}}
NEWS = "Search the web, when does the ferry leave tomorrow?"


@pytest.fixture(scope="module")
def desk() -> Iterator[str]:
    with running_desk() as url:
        yield url


@asynccontextmanager
async def listening(server: RunningServer, *tools: Any) -> AsyncIterator[Talker]:
    async with talking(server) as talker:
        talker.patience_s = PATIENCE_S
        vad = {"type": "server_vad", "silence_duration_ms": 500}
        await talker.send(type="session.update", session={"tools": list(tools), "turn_detection": vad})
        await talker.until("session.updated")
        yield talker


async def speak(talker: Talker, audio: bytes) -> None:
    """A microphone goes on: a question that sounds unfinished is waited with longer."""
    audio += silence(3000)
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
        events = await to_the_end(talker)
    assert "ferry" in web.searxng.queries[-1]["q"].lower()
    pcm = b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta")
    heard = understood(real_server, pcm)
    assert "17" in heard or "seventeen" in heard, heard
    assert "http" not in words(events)
    [item] = events[-1]["response"]["output"]
    assert item["metadata"]["citations"][0]["url"] == "https://example.org/ferry"


async def test_a_search_is_interrupted(real_server: RunningServer, web: Web) -> None:
    web.searxng.disconnected.clear()
    web.searxng.places["/search"] = "hangs"
    try:
        async with listening(real_server, PATIENT_SEARCH) as talker:
            await speak(talker, spoken(NEWS))
            events = await talker.until("response.audio.delta")
            assert words(events).strip() in ("Let me look that up.", "One moment.")
            await speak(talker, spoken("Stop, please tell me a joke instead."))
            events = await talker.until("response.done")
            assert events[-1]["response"]["status"] == "cancelled"
            assert await asyncio.to_thread(web.searxng.disconnected.wait, 20), "the search was given up"
    finally:
        del web.searxng.places["/search"]


async def in_ga(server: RunningServer, question: str, *tools: Any) -> tuple[Caller, list[Any]]:
    async with calling(server, SPELLINGS[0], vad=VAD, tools=tools) as caller:
        caller.patience_s = PATIENCE_S
        if any(tool["type"] == "mcp" for tool in tools):
            await caller.until("mcp_list_tools.completed")
        await caller.speak(spoken(question) + silence(3000))
        return caller, await caller.until("response.done")


async def test_openai_python_calls_a_tool_server(real_server: RunningServer, desk: str) -> None:
    tool = {"type": "mcp", "server_label": "desk", "server_url": desk, "require_approval": "never"}
    caller, events = await in_ga(
        real_server, "Where is the meeting room Paris?", {**tool, "allowed_tools": ["find_room"]}
    )
    # Where it takes long to decide, words that fill silence come first: the message begins before the call.
    items = {item.type: item for item in events[-1].response.output}
    assert len(items) == len(events[-1].response.output) == 2
    call, message = items["mcp_call"], items["message"]
    assert "paris" in json.loads(call.arguments)["name"].lower()
    assert call.output.endswith("is on floor 7.")
    assert message.role == "assistant"
    heard = understood(real_server, caller.audio(events))
    assert "7" in heard or "seven" in heard, heard


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
    *_, call = events[-1].response.output
    assert (call.type, call.name) == ("function_call", "switch_light")
    assert json.loads(call.arguments) == {"room": "kitchen", "on": True}
