"""Tool servers through the official SDK: real ones, over HTTP and over standard streams."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from pydantic import ValidationError

from net.pages import Pages, served
from tools.desk import Waits, running_desk
from tools.liar import HANDSHAKE, UNKNOWN, Liar
from tools.scripted import Scripted, call, replied, request
from vivavoce.config.outbound import McpConfig, McpServerConfig, ToolsConfig
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.tool_config import ApprovalFilter, McpServerDeclaration, ToolFilter
from vivavoce.signatures import RULES_TOKENS, estimate_tools
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.tools.base import CallContext
from vivavoce.tools.catalog import Bounds, ToolCatalog, ToolFactories, client_address
from vivavoce.tools.mcp.address import McpServerAddress, McpServerError, header_pairs
from vivavoce.tools.mcp.servers import (
    MAX_CONNECTIONS_PER_OWNER,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_TOOLS,
    McpServerPool,
    offered_name,
)
from vivavoce.tools.mcp.transport import MAX_ANSWER_BYTES
from vivavoce.tools.session_tools import SessionTools
from vivavoce.types import GenerationOptions, Message, NamedTool, ServerToolEnded, Tool, ToolChoice, ToolOfServer

DESK = Path(__file__).with_name("desk.py")
ME = CallContext("me")


@pytest.fixture(scope="module")
def seen() -> list[dict[str, str]]:
    return []


@pytest.fixture(scope="module")
def waits() -> Waits:
    return Waits()


@pytest.fixture(scope="module")
def url(seen: list[dict[str, str]], waits: Waits) -> Iterator[str]:
    with running_desk(seen=seen, waits=waits) as address:
        yield address


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(allow_private=True)
    yield fetcher
    fetcher.close()


@pytest.fixture
async def offering(fetcher: Fetcher) -> AsyncIterator[ToolCatalog]:
    offering = offering_of(McpConfig(), fetcher)
    yield offering
    await offering.close()


def offering_of(config: McpConfig, fetcher: Fetcher) -> ToolCatalog:
    def no_search(owner: str, tool: object) -> None:
        raise AssertionError("nobody searches here")

    return ToolCatalog(ToolsConfig(), config, fetcher, ToolFactories(no_search, no_search, no_search))  # type: ignore[arg-type]


async def test_tools_are_listed_and_called(url: str, offering: ToolCatalog, seen: list[dict[str, str]]) -> None:
    tool = McpServerDeclaration(server_label="desk", server_url=url, authorization="s3cret", headers={"X-Desk": "1"})
    async with asyncio.timeout(20):
        shown = await offering.listed("me", tool)
        assert [one["name"] for one in shown] == ["find_room", "book_room", "wait_long", "break_down"]
        assert shown[0]["input_schema"]["properties"]["name"]["type"] == "string"
        assert shown[0]["annotations"]["readOnlyHint"] is True
        find, book, *_ = await offering.server_tools("me", [tool])
        result = await find.run({"name": "Turing"}, ME)
    assert (result.text, result.failed, result.trusted) == ("Room Turing is on floor 7.", False, False)
    assert (find.effects, book.effects) == ("sends", "acts")
    assert (find.label, find.original_name, find.needs_approval) == ("desk", "find_room", True)
    assert seen[-1]["authorization"] == "Bearer s3cret"
    assert seen[-1]["x-desk"] == "1"


@pytest.mark.parametrize(
    ("allowed", "names"),
    [
        (("book_room",), ["book_room"]),
        (ToolFilter(read_only=True), ["find_room"]),
        (ToolFilter(tool_names=("find_room", "book_room"), read_only=False), ["book_room"]),
        (ToolFilter(), []),
    ],
)
async def test_only_what_is_allowed_is_there(
    url: str, offering: ToolCatalog, allowed: ToolFilter | tuple[str, ...], names: list[str]
) -> None:
    tool = McpServerDeclaration(server_label="desk", server_url=url, allowed_tools=allowed)
    assert [one["name"] for one in await offering.listed("me", tool)] == names
    assert [one.tool.name for one in await offering.server_tools("me", [tool])] == names


def test_who_is_asked_about() -> None:
    reads = ToolFilter(read_only=True)

    def asked(approval: object) -> tuple[bool, bool]:
        tool = McpServerDeclaration(server_label="d", server_url="http://d", require_approval=approval)  # type: ignore[arg-type]
        return tool.needs_approval("find", reads=True), tool.needs_approval("book", reads=False)

    assert asked("always") == (True, True)
    assert asked("never") == (False, False)
    assert asked(ApprovalFilter(never=reads)) == (False, True)
    assert asked(ApprovalFilter(always=reads)) == (True, True)
    assert asked(ApprovalFilter(always=ToolFilter(tool_names=("book",)), never=ToolFilter(read_only=True))) == (
        False,
        True,
    )


@pytest.mark.parametrize(
    ("choice", "resolved", "withheld"),
    [
        (ToolOfServer("desk", "find_room"), NamedTool("desk_find_room"), set()),
        (ToolOfServer("desk"), "required", {"find_room", "lamp"}),
        (ToolOfServer("hall"), NamedTool("find_room"), set()),
        (ToolOfServer("gone", "find_room"), NamedTool("find_room"), set()),
        (NamedTool("find_room"), NamedTool("find_room"), set()),
    ],
)
async def test_a_tool_is_chosen_by_its_servers_name(
    url: str, offering: ToolCatalog, choice: ToolChoice, resolved: ToolChoice, withheld: set[str]
) -> None:
    """Two servers have a ``find_room``, and only one of them can be offered by this name."""
    hall = McpServerDeclaration(server_label="hall", server_url=url, allowed_tools=("find_room",))
    desk = McpServerDeclaration(server_label="desk", server_url=url, allowed_tools=("find_room", "book_room"))
    options = GenerationOptions(tools=(Tool("lamp", "", {"type": "object"}),), tool_choice=choice)
    options, server = await offering.for_reply((), options, (hall, desk), ME)
    assert [tool.tool.name for tool in server.tools] == ["find_room", "desk_find_room", "book_room"]
    assert options.tool_choice == resolved
    assert options.withheld == withheld


async def test_what_fails_there_fails_here(url: str, offering: ToolCatalog) -> None:
    tools = await offering.server_tools("me", [McpServerDeclaration(server_label="desk", server_url=url)])
    broken = next(tool for tool in tools if tool.tool.name == "break_down")
    assert (await broken.run({}, ME)).failed


async def test_a_call_that_is_cancelled_stops_there_and_leaves_the_connection_good(
    url: str, offering: ToolCatalog, waits: Waits
) -> None:
    find, _, slow, _ = await offering.server_tools("me", [McpServerDeclaration(server_label="desk", server_url=url)])
    calling = asyncio.create_task(slow.run({}, ME))
    assert await asyncio.to_thread(waits.began.wait, 10)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert await asyncio.to_thread(waits.stopped.wait, 10)
    async with asyncio.timeout(10):
        assert not (await find.run({"name": "Ada"}, ME)).failed


async def test_private_addresses_are_refused_to_clients(url: str) -> None:
    fetcher = Fetcher()
    offering = offering_of(McpConfig(), fetcher)
    tool = McpServerDeclaration(server_label="desk", server_url=url)
    with pytest.raises(McpServerError, match="not fetched"):
        await offering.listed("me", tool)
    assert await offering.server_tools("me", [tool]) == [], "the conversation goes on without it"
    await offering.close()
    fetcher.close()


async def test_a_name_that_leads_inside_is_refused_and_others_are_kept() -> None:
    """What is connected to is the address that was checked; the server is still told the name."""

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    liar = Liar(tools_list={"tools": [tool_named("find")]})
    with served(liar) as port:
        tool = McpServerDeclaration(server_label="desk", server_url=f"http://desk.example.org:{port}/mcp")
        for allowed in (False, True):
            fetcher = Fetcher(resolve=here, allow_private=allowed)
            offering = offering_of(McpConfig(), fetcher)
            assert len(await offering.server_tools("me", [tool])) == allowed
            assert bool(liar.asked) == allowed
            await offering.close()
            fetcher.close()
    assert liar.headers["host"] == f"desk.example.org:{port}"


async def test_a_server_that_is_not_there(offering: ToolCatalog) -> None:
    with pytest.raises(McpServerError, match="reached"):
        await offering.listed("me", McpServerDeclaration(server_label="desk", server_url="http://127.0.0.1:9/mcp"))


async def test_connections_are_one_owners_and_bounded(url: str, fetcher: Fetcher) -> None:
    servers = McpServerPool(fetcher, list_s=5, idle_s=0.0)
    address = McpServerAddress(url)
    await servers.listed("me", address)
    mine = servers._connections["me", address]
    await servers.listed("me", address)
    assert servers._connections["me", address] is mine, "listed once"
    await servers.call("you", address, "find_room", {"name": "x"})
    assert ("me", address) not in servers._connections, "an idle one is left"
    await asyncio.gather(*servers._leaving)
    assert mine.is_closed
    busy = McpServerPool(fetcher, list_s=5, idle_s=60)
    for number in range(MAX_CONNECTIONS_PER_OWNER):
        await busy.listed("me", McpServerAddress(url, header_pairs({"X": str(number)}, None)))
    with pytest.raises(McpServerError, match="already"):
        await busy.listed("me", address)
    await busy.close()
    await servers.close()


async def test_servers_of_the_operator_are_there_for_all(fetcher: Fetcher, url: str) -> None:
    config = McpConfig(
        servers={
            "local": McpServerConfig(command=(sys.executable, str(DESK)), tools=("find_room",)),
            "house": McpServerConfig.model_validate({"url": url, "tools": ["find_room"]}),
        }
    )
    offering = offering_of(config, Fetcher())
    assert offering.has_server_tools
    assert await offering.server_tools("me", [], Bounds(patience_s=0)) == []
    async with asyncio.timeout(30):
        tools = await offering.server_tools("me", [])
        assert [tool.tool.name for tool in tools] == ["find_room", "house_find_room"]
        assert not any(tool.needs_approval or tool.label for tool in tools)
        for tool in tools:
            assert (await tool.run({"name": "Ada"}, ME)).text == "Room Ada is on floor 7."
        await offering.close()


# ---- servers that are down, slow, or not what they say


@asynccontextmanager
async def answering(*lies: Liar, **mcp: Any) -> AsyncIterator[tuple[ToolCatalog, list[McpServerDeclaration]]]:
    """An offering, and each of ``lies`` as a client's tool server."""
    fetcher = Fetcher(allow_private=True)
    offering = offering_of(McpConfig(**mcp), fetcher)
    with ExitStack() as stack:
        ports = [stack.enter_context(served(lie)) for lie in lies]
        yield (
            offering,
            [
                McpServerDeclaration(
                    server_label=f"liar{n}", server_url=f"http://127.0.0.1:{port}/mcp", require_approval="never"
                )
                for n, port in enumerate(ports)
            ],
        )
        await offering.close()
    fetcher.close()


def tool_named(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}, **more}


SILENT = {"server_discover": None, "initialize": None}


async def test_a_server_that_says_nothing_holds_up_one_reply_and_not_the_next() -> None:
    liar = Liar(**SILENT)
    async with answering(liar, list_s=0.3) as (offering, tools), asyncio.timeout(20):
        assert await offering.server_tools("me", tools) == []
        asked = len(liar.asked)
        assert asked
        for _ in range(3):
            assert await offering.server_tools("me", tools) == []
        assert len(liar.asked) == asked, "it is left alone for a while"
        with pytest.raises(McpServerError, match="within"):
            await offering.listed("me", tools[0])
        assert len(liar.asked) > asked, "unless the client declares it again"
        assert not offering.servers._connections
        assert not offering.servers._listings


async def test_a_reply_waits_so_long_and_the_next_one_has_the_tools() -> None:
    liar = Liar(**SILENT)
    async with answering(liar, list_s=30) as (offering, tools), asyncio.timeout(20):
        session = SessionTools(offering, "me", 0.05)
        _, server = await session.for_reply((), GenerationOptions(), tools, (), "en")
        assert server.tools == []
        liar.go_on(server_discover=UNKNOWN, initialize=HANDSHAKE, tools_list={"tools": [tool_named("find")]})
        await offering.listed("me", tools[0])
        _, server = await session.for_reply((), GenerationOptions(), tools, (), "en")
        assert [tool.tool.name for tool in server.tools] == ["find"]


async def test_servers_are_asked_at_once() -> None:
    first, second = Liar(**SILENT), Liar(**SILENT)
    async with answering(first, second, list_s=30) as (offering, tools), asyncio.timeout(20):
        asking = asyncio.create_task(offering.server_tools("me", tools))
        for liar in (first, second):
            assert await asyncio.to_thread(liar.was_asked.wait, 10), "while the other one says nothing"
        asking.cancel()


LISTS: dict[str, Any] = {
    "no list": {"tools": "many"},
    "no tools": {"tools": [1, None, "x"]},
    "no object": {"tools": [tool_named("find", inputSchema={"type": "array"})]},
    "no names": {"tools": [{"inputSchema": {"type": "object"}}]},
    "not json": b"<html>Welcome to our hotel</html>",
    "nothing": b"",
    "another's answer": b'{"jsonrpc": "2.0", "id": 4711, "result": {"tools": []}}',
    "a refusal": b'{"jsonrpc": "2.0", "id": 3, "error": {"code": -32000, "message": "s3cret"}}',
    "too much": b'{"jsonrpc": "2.0", "padding": "' + b"x" * (MAX_ANSWER_BYTES + 1),
}


@pytest.mark.parametrize("answer", LISTS)
async def test_a_server_that_talks_nonsense_has_no_tools(answer: str) -> None:
    liar = Liar(tools_list=LISTS[answer])
    async with answering(liar, list_s=1) as (offering, tools), asyncio.timeout(20):
        with pytest.raises(McpServerError) as failed:
            await offering.listed("me", tools[0])
        assert len(str(failed.value)) < 200
        assert "s3cret" not in str(failed.value)
        assert await offering.server_tools("me", tools) == []


async def test_a_server_that_lies_about_its_tools_has_those_that_are_some() -> None:
    page = {
        "tools": [
            tool_named("find.room", description="Tell where\n\n a room is. " + "Very good. " * 100_000),
            tool_named("find room"),
            tool_named("broken", inputSchema={"type": "object", "properties": {"x": {"type": "strong"}}}),
            tool_named("huge", inputSchema={"type": "object", "properties": {f"p{n}": {} for n in range(9999)}}),
            *(tool_named(f"tool{n}") for n in range(1000)),
        ],
        "nextCursor": "for ever",
    }
    liar = Liar(tools_list=page)
    async with answering(liar) as (offering, tools), asyncio.timeout(20):
        found = [tool.tool for tool in await offering.server_tools("me", tools)]
        assert [tool.name for tool in found[:3]] == ["find_room", "liar0_find_room", "tool0"]
        assert len(found) < MAX_TOOLS
        assert found[0].description.startswith("Tell where a room is. Very good.")
        assert max(len(tool.description) for tool in found) <= MAX_DESCRIPTION_CHARACTERS
        assert liar.asked.count("tools/list") == 1


async def test_of_a_server_with_much_to_say_the_tools_of_a_turn_are_told() -> None:
    wordy = {"type": "object", "properties": {"x": {"type": "string", "description": "very long " * 300}}}
    many = [tool_named(f"tool{n}", description="Does things. " * 20, inputSchema=wordy) for n in range(50)]
    liar, modest = Liar(tools_list={"tools": many}), Liar(tools_list={"tools": [tool_named("find")]})
    async with answering(liar, modest) as (offering, tools), asyncio.timeout(20):
        asked = (Message("user", "Find the room, please. Or call tool7."),)
        options, server = await offering.for_reply(
            asked, GenerationOptions(), tools, ME, bounds=Bounds(max_tool_tokens=1000)
        )
        assert estimate_tools(options) - RULES_TOKENS <= 1000
        assert {"find", "tool7"} <= {tool.name for tool in options.tools} - options.withheld
        assert len(server.tools) == len(options.tools) == 51
        for_prefill = await SessionTools(offering, "me").for_prefill(GenerationOptions(), tools, 1000)
        assert not {tool.name for tool in for_prefill.tools} - for_prefill.withheld, "which ones shows only in a turn"


async def test_a_list_without_end_is_read_so_far() -> None:
    liar = Liar(tools_list={"tools": [], "nextCursor": "more"})
    async with answering(liar) as (offering, tools), asyncio.timeout(20):
        assert await offering.server_tools("me", tools) == []
        assert liar.asked.count("tools/list") <= MAX_TOOLS


def said(*words: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": word} for word in words], **more}


PICTURE = {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"}
ANSWERS: dict[str, tuple[Any, str, bool]] = {
    "words": (said("one", "two"), "one\ntwo", False),
    "its own failure": (said("no such room", isError=True), "no such room", True),
    "a picture": ({"content": [PICTURE]}, "(image)", False),
    "a document": ({"content": [{"type": "resource", "resource": {"uri": "x://a", "text": "page"}}]}, "page", False),
    "a link": ({"content": [{"type": "resource_link", "uri": "x://a", "name": "Plan"}]}, "Plan", False),
    "data alone": ({"content": [], "structuredContent": {"floor": 7}}, '{"floor": 7}', False),
    "nothing": ({"content": []}, "", False),
    "no answer": ({"content": 7}, "", True),
    "not json": (b"<html>", "", True),
    "a refusal": (b'{"jsonrpc": "2.0", "id": 4, "error": {"code": -32000, "message": "s3cret"}}', "", True),
    "too much": (said("x" * (MAX_ANSWER_BYTES + 1)), "", True),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_whatever_it_answers_is_a_result(answer: str) -> None:
    given, text, failed = ANSWERS[answer]
    liar = Liar(tools_list={"tools": [tool_named("find")]}, tools_call=given)
    async with answering(liar, list_s=5) as (offering, tools), asyncio.timeout(40):
        [find] = await offering.server_tools("me", tools)
        find.timeout_s = 2.0
        model = Scripted([call("find")], ["Well."])
        events = await replied(model, request(find))
        [ended] = [event for event in events if isinstance(event, ServerToolEnded)]
        assert ended.result.failed == failed
        assert text in ended.result.text
        assert "s3cret" not in ended.rendered
        assert len(ended.rendered) < model.context_tokens * 4


async def test_a_long_answer_is_cut_to_its_share_of_the_context() -> None:
    liar = Liar(tools_list={"tools": [tool_named("find")]}, tools_call=said("word " * 500_000))
    async with answering(liar) as (offering, tools), asyncio.timeout(40):
        model = Scripted([call("find")], ["Well."])
        events = await replied(model, request(*await offering.server_tools("me", tools)))
        [ended] = [event for event in events if isinstance(event, ServerToolEnded)]
        assert not ended.result.failed
        assert estimate_tokens(Message("tool", ended.rendered)) <= model.context_tokens / 2


async def test_a_server_of_the_old_kind_is_told_that_a_call_is_cancelled() -> None:
    liar = Liar(tools_list={"tools": [tool_named("find")]}, tools_call=None)
    async with answering(liar) as (offering, tools), asyncio.timeout(30):
        [find] = await offering.server_tools("me", tools)
        calling = asyncio.create_task(find.run({}, ME))
        assert await asyncio.to_thread(liar.waiting.wait, 10)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert await asyncio.to_thread(liar.cancelled.wait, 10)


async def test_a_redirect_takes_no_headers_along() -> None:
    elsewhere = Liar(tools_list={"tools": []})
    with served(elsewhere) as port:
        moved = Pages()
        moved.put("/mcp", status=307, location=f"http://127.0.0.1:{port}/mcp")
        async with answering(moved, list_s=5) as (offering, [tool]), asyncio.timeout(20):  # type: ignore[arg-type]
            with pytest.raises(McpServerError):
                await offering.listed("me", structs.replace(tool, headers={"X-Key": "s3cret"}))
    assert not elsewhere.asked


async def test_secrets_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "vivavoce")
    liar = Liar(tools_list={"tools": [tool_named("find")]}, tools_call=said("found"))
    async with answering(liar) as (offering, [tool]), asyncio.timeout(20):
        tool = structs.replace(tool, authorization="s3cret", headers={"X-Key": "s3cret"})
        [find] = await offering.server_tools("me", [tool])
        assert not (await find.run({}, ME)).failed
        assert (liar.headers["authorization"], liar.headers["x-key"]) == ("Bearer s3cret", "s3cret")
        liar.results["tools/call"] = b"<html>"
        find.timeout_s = 0.5
        await replied(Scripted([call("find")], ["Well."]), request(find))
        nobody = structs.replace(tool, server_url="http://127.0.0.1:9/mcp")
        with pytest.raises(McpServerError):
            await offering.listed("me", nobody)
    assert caplog.records
    assert "s3cret" not in caplog.text


def test_a_tool_server_has_a_url_or_a_command() -> None:
    with pytest.raises(ValidationError, match="either"):
        McpServerConfig()


def test_names_a_model_can_write() -> None:
    assert offered_name("find.room", "desk", []) == "find_room"
    assert offered_name("find_room", "the desk", ["find_room"]) == "the_desk_find_room"


def test_secrets_stay_out_of_sight() -> None:
    tool = McpServerDeclaration(
        server_label="d", server_url="http://d", authorization="s3cret", headers={"X": "s3cret"}
    )
    assert "s3cret" not in repr(tool) + repr(client_address(tool))
