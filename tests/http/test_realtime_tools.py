"""Tools of the server in conversations, over real sockets: searching, tool servers, timers, in each dialect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI

from net.pages import served
from running import RunningServer, Talker, running, silence, talking, tone
from tools.desk import Waits, running_desk
from tools.web_search.providing import Searxng
from vivavoce.config import load_config

CALL = 'call {} {{"{}": "{}"}}'
SEARCH = {"type": "web_search", "function": {"description": "news", "options": {"top_k": 1, "timeout_seconds": 20}}}


@pytest.fixture(scope="module")
def booked() -> list[str]:
    return []


@pytest.fixture(scope="module")
def waits() -> Waits:
    return Waits()


@pytest.fixture(scope="module")
def desk(booked: list[str], waits: Waits) -> Iterator[str]:
    with running_desk(booked, waits=waits) as url:
        yield url


@pytest.fixture(scope="module")
def searxng() -> Searxng:
    searxng = Searxng()
    searxng.find("https://example.org/ferry", "The ferry", "The ferry leaves at nine.")
    return searxng


@pytest.fixture(scope="module")
def server(searxng: Searxng) -> Iterator[RunningServer]:
    with served(searxng) as port:
        search = {"provider": "searxng", "url": f"http://127.0.0.1:{port}", "cache_s": 0, "fetch_pages": 0}
        flags = {
            "web_search": search,
            "net": {"allow_private": True},
            "tools": {"builtin": ["clock", "timers"], "filler_ms": 50},
            "mcp": {"patience_s": 30},
        }
        with running(load_config(flags, profile="fake")) as running_server:
            yield running_server


@asynccontextmanager
async def talker(server: RunningServer, *tools: Any, query: str = "model=step-audio-2") -> AsyncIterator[Talker]:
    async with talking(server, query) as talker:
        await talker.send(type="session.update", session={"modalities": ["text"], "tools": list(tools)})
        await talker.until("session.updated")
        yield talker


async def ask(talker: Talker, said: str) -> list[dict[str, Any]]:
    await talker.say(said)
    await talker.send(type="response.create")
    return await talker.until("response.done")


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(
        event["delta"] for event in events if event["type"] in ("response.text.delta", "response.output_text.delta")
    )


async def test_stepfuns_search_is_unseen_but_for_its_sources(server: RunningServer, searxng: Searxng) -> None:
    async with talker(server, SEARCH) as one:
        events = await ask(one, CALL.format("web_search", "query", "ferry"))
        assert "The ferry leaves at nine." in text_of(events)
        assert searxng.queries[-1]["q"] == "ferry"
        kinds = {event["type"] for event in events}
        assert not [kind for kind in kinds if "function_call" in kind or "mcp" in kind]
        [item] = events[-1]["response"]["output"]
        [citation] = item["metadata"]["citations"]
        assert (citation["title"], citation["url"]) == ("The ferry", "https://example.org/ferry")
        again = await ask(one, "thanks")
    async with talker(server, SEARCH) as other:
        fresh = await ask(other, "thanks")
    used, least = (events[-1]["response"]["usage"]["input_tokens"] for events in (again, fresh))
    assert used > least + 10, "what was found is part of the history"


async def test_both_kinds_of_tools_in_one_session(server: RunningServer) -> None:
    lamp = {"type": "function", "name": "lamp", "parameters": {"type": "object"}}
    async with talker(server, SEARCH, lamp) as one:
        events = await ask(one, CALL.format("lamp", "on", "yes"))
        assert [item["type"] for item in events[-1]["response"]["output"]] == ["function_call"]
        events = await ask(one, CALL.format("get_date_and_time", "timezone", "Tokyo"))
        assert "Asia/Tokyo" in text_of(events)


async def test_both_kinds_of_tools_in_one_turn(thoughtful: RunningServer, searxng: Searxng) -> None:
    """Two of the server's run at once and unseen, the client's function comes behind them; the next response knows all."""
    lamp = {"type": "function", "name": "lamp", "parameters": {"type": "object"}}
    asked = 'call lamp {} call web_search {"query": "ferry"} call get_date_and_time {"timezone": "Tokyo"}'
    async with talker(thoughtful, SEARCH, lamp) as one:
        events = await ask(one, asked)
        assert searxng.queries[-1]["q"] == "ferry"
        [call] = events[-1]["response"]["output"]
        assert (call["type"], call["name"]) == ("function_call", "lamp")
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "The lamp is on."}
        await one.send(type="conversation.item.create", item=output)
        await one.send(type="response.create")
        events = await one.until("response.done")
        assert text_of(events) == "You said: The lamp is on."
        assert events[-1]["response"]["usage"]["input_tokens"] > 60, "what was found stands before it"


async def test_a_search_that_fails_is_told_to_the_model(server: RunningServer, searxng: Searxng) -> None:
    found, searxng.results = searxng.results, []
    try:
        async with talker(server, SEARCH) as one:
            assert "could not look it up" in text_of(await ask(one, CALL.format("web_search", "query", "nothing")))
    finally:
        searxng.results = found


async def test_a_tool_server_in_stepfuns_dialect_is_the_plain_loop(server: RunningServer, desk: str) -> None:
    tool = {"type": "mcp", "server_label": "desk", "server_url": desk}
    async with talker(server, tool) as one:
        events = await ask(one, CALL.format("find_room", "name", "Ada"))
        assert "Room Ada is on floor 7." in text_of(events)
        assert not [event for event in events if "mcp" in json.dumps(event)]


async def test_a_tool_server_that_cannot_be_reached_is_reported_in_stepfuns_dialect(server: RunningServer) -> None:
    tool = {"type": "mcp", "server_label": "desk", "server_url": "http://127.0.0.1:9/mcp"}
    async with talker(server, tool) as one:
        [*_, error] = await one.until("error")
        assert (error["error"]["code"], error["error"]["param"]) == ("tool_server_failed", "session.tools")
        assert text_of(await ask(one, "hello")) == "You said: hello"


async def test_silence_is_filled_and_the_user_can_interrupt_a_search(
    server: RunningServer, desk: str, waits: Waits
) -> None:
    tool = {"type": "mcp", "server_label": "desk", "server_url": desk}
    async with talking(server) as one:
        vad = {"type": "server_vad", "silence_duration_ms": 200}
        await one.send(type="session.update", session={"tools": [tool], "turn_detection": vad})
        await one.until("session.updated")
        await one.say("call wait_long {}")
        await one.send(type="response.create")
        events = await one.until("response.audio.delta")
        said = "".join(event["delta"] for event in events if event["type"] == "response.audio_transcript.delta")
        assert said.strip() == "Let me look that up."
        await one.append(tone(600))
        events = await one.until("response.done")
        assert events[-1]["response"]["status"] == "cancelled"
        assert await asyncio.to_thread(waits.stopped.wait, 10), "nobody works for it any more"
        waits.stopped.clear()
        await one.append(silence(1000))
        events = await one.until("response.audio.delta")
        said = "".join(event["delta"] for event in events if event["type"] == "response.audio_transcript.delta")
        assert said.strip() == "Let me look that up.", "what was said into the filler adds to the request, which stands"
    assert await asyncio.to_thread(waits.stopped.wait, 10), "nobody works for it any more"


async def test_a_timer_is_announced_when_it_is_over(server: RunningServer) -> None:
    async with talker(server) as one:
        await ask(one, 'call timer {"action": "set", "seconds": 1, "label": "tea"}')
        events = await one.until("response.done")
        assert "The timer tea is over." in text_of(events)


# ---- OpenAI's GA dialect


@asynccontextmanager
async def ga(server: RunningServer, **tool: Any) -> AsyncIterator[Any]:
    client = AsyncOpenAI(api_key="any", base_url=f"{server.http}/v1")
    async with client.realtime.connect(model="gpt-realtime") as connection:
        declared = {"type": "mcp", "server_label": "desk", **tool}
        await connection.session.update(
            session={"type": "realtime", "output_modalities": ["text"], "tools": [declared]}  # type: ignore[list-item]
        )
        yield connection
    await client.close()


async def until(connection: Any, kind: str) -> list[Any]:
    events: list[Any] = []
    async with asyncio.timeout(30):
        async for event in connection:
            events.append(event)
            if event.type == kind:
                return events
    raise AssertionError(f"no {kind}")


async def say(connection: Any, said: str) -> list[Any]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": said}]}
    await connection.conversation.item.create(item=item)
    await connection.response.create()
    return await until(connection, "response.done")


async def test_openai_python_sees_a_tool_servers_list_and_calls(server: RunningServer, desk: str) -> None:
    async with ga(server, server_url=desk, require_approval="never", authorization="s3cret") as connection:
        events = await until(connection, "conversation.item.done")
        kinds = [event.type for event in events]
        assert kinds[2:] == [
            "conversation.item.added", "mcp_list_tools.in_progress", "mcp_list_tools.completed", "conversation.item.done",
        ]  # fmt: skip
        assert "s3cret" not in str(events)
        assert [tool.name for tool in events[-1].item.tools][:2] == ["find_room", "book_room"]
        events = await say(connection, CALL.format("find_room", "name", "Ada"))
        kinds = [event.type for event in events if "mcp" in event.type]
        assert kinds == [
            "response.mcp_call_arguments.delta", "response.mcp_call_arguments.done",
            "response.mcp_call.in_progress", "response.mcp_call.completed",
        ]  # fmt: skip
        call, message = events[-1].response.output
        assert (call.type, call.server_label, call.name, call.output) == (
            "mcp_call", "desk", "find_room", "Room Ada is on floor 7.",
        )  # fmt: skip
        assert json.loads(call.arguments) == {"name": "Ada"}
        assert "Room Ada" in message.content[0].text
        events = await say(connection, "call break_down {}")
        call = events[-1].response.output[0]
        assert call.error.type == "tool_execution_error"
        assert "response.mcp_call.failed" in [event.type for event in events]


async def test_openais_dialect_shows_where_an_answer_is_from(server: RunningServer) -> None:
    async with ga(server, type="web_search", server_label=None) as connection:
        await until(connection, "session.updated")
        events = await say(connection, CALL.format("web_search", "query", "ferry"))
        [item] = events[-1].response.output
        assert "The ferry leaves at nine." in item.content[0].text
        [citation] = item.metadata["citations"]
        assert (citation["title"], citation["url"]) == ("The ferry", "https://example.org/ferry")


async def test_a_call_waits_for_approval(server: RunningServer, desk: str, booked: list[str]) -> None:
    async with ga(server, server_url=desk, require_approval={"never": {"read_only": True}}) as connection:
        await until(connection, "mcp_list_tools.completed")
        events = await say(connection, CALL.format("book_room", "name", "Ada"))
        [request] = events[-1].response.output
        assert (request.type, request.name, request.server_label) == ("mcp_approval_request", "book_room", "desk")
        assert not booked
        for approve in (False, True):
            answer = {"type": "mcp_approval_response", "approval_request_id": request.id, "approve": approve}
            answer["id"] = f"answer_{approve}"
            await connection.conversation.item.create(item=answer)
            events = await until(connection, "response.done")
            output = events[-1].response.output
            if approve:
                assert (output[0].type, output[0].approval_request_id) == ("mcp_call", request.id)
                assert "Booked Grace" in output[1].content[0].text
            else:
                assert not booked
                assert "did not allow" in output[0].content[0].text
                events = await say(connection, CALL.format("book_room", "name", "Grace"))
                [request] = events[-1].response.output
        assert booked == ["Grace"]
        again = {"type": "mcp_approval_response", "approval_request_id": request.id, "approve": True, "id": "again"}
        await connection.conversation.item.create(item=again)
        events = await until(connection, "error")
        assert events[-1].error.param == "item.approval_request_id"


async def test_a_tool_of_a_server_can_be_demanded(server: RunningServer, desk: str) -> None:
    async with ga(server, server_url=desk, require_approval="never", allowed_tools=["find_room"]) as connection:
        await until(connection, "mcp_list_tools.completed")
        await connection.session.update(
            session={"type": "realtime", "tool_choice": {"type": "mcp", "server_label": "desk"}}
        )
        events = await say(connection, "hello")
        assert [item.type for item in events[-1].response.output] == ["mcp_call", "message"]


async def test_openai_python_is_told_that_a_server_cannot_be_reached(server: RunningServer) -> None:
    async with ga(server, server_url="http://127.0.0.1:9/mcp") as connection:
        await until(connection, "mcp_list_tools.failed")
        events = await say(connection, "hello")
        assert events[-1].response.output[0].content[0].text == "You said: hello"
