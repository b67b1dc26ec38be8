"""Tool servers through the official SDK: real ones, over HTTP and over standard streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from tools.desk import running_desk
from vivavoce.config import McpConfig, McpServerConfig, ToolsConfig
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.tool_config import ApprovalFilter, McpTool, ToolFilter
from vivavoce.tools.base import Calling
from vivavoce.tools.mcp.connection import Place, ToolServerError, header_pairs
from vivavoce.tools.mcp.servers import MOST_OF_AN_OWNER, ToolServers, offered_name
from vivavoce.tools.offering import Makers, Offering, client_place
from vivavoce.types import GenerationOptions, NamedTool, Tool, ToolChoice, ToolOfServer

DESK = Path(__file__).with_name("desk.py")
ME = Calling("me")


@pytest.fixture(scope="module")
def seen() -> list[dict[str, str]]:
    return []


@pytest.fixture(scope="module")
def url(seen: list[dict[str, str]]) -> Iterator[str]:
    with running_desk(seen=seen) as address:
        yield address


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(allow_private=True)
    yield fetcher
    fetcher.close()


@pytest.fixture
async def offering(fetcher: Fetcher) -> AsyncIterator[Offering]:
    offering = offering_of(McpConfig(), fetcher)
    yield offering
    await offering.close()


def offering_of(config: McpConfig, fetcher: Fetcher) -> Offering:
    def no_search(owner: str, tool: object) -> None:
        raise AssertionError("nobody searches here")

    return Offering(ToolsConfig(), config, fetcher, Makers(no_search, no_search))  # type: ignore[arg-type]


async def test_tools_are_listed_and_called(url: str, offering: Offering, seen: list[dict[str, str]]) -> None:
    tool = McpTool(server_label="desk", server_url=url, authorization="s3cret", headers={"X-Desk": "1"})
    async with asyncio.timeout(20):
        shown = await offering.listed("me", tool)
        assert [one["name"] for one in shown] == ["find_room", "book_room", "wait_long", "break_down"]
        assert shown[0]["input_schema"]["properties"]["name"]["type"] == "string"
        assert shown[0]["annotations"]["readOnlyHint"] is True
        find, book, *_ = await offering.server_tools("me", [tool])
        result = await find.run({"name": "Turing"}, ME)
    assert (result.text, result.failed, result.trusted) == ("Room Turing is on floor 7.", False, False)
    assert (find.effects, book.effects) == ("sends", "acts")
    assert (find.label, find.shown_name, find.needs_approval) == ("desk", "find_room", True)
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
    url: str, offering: Offering, allowed: ToolFilter | tuple[str, ...], names: list[str]
) -> None:
    tool = McpTool(server_label="desk", server_url=url, allowed_tools=allowed)
    assert [one["name"] for one in await offering.listed("me", tool)] == names
    assert [one.tool.name for one in await offering.server_tools("me", [tool])] == names


def test_who_is_asked_about() -> None:
    reads = ToolFilter(read_only=True)

    def asked(approval: object) -> tuple[bool, bool]:
        tool = McpTool(server_label="d", server_url="http://d", require_approval=approval)  # type: ignore[arg-type]
        return tool.asks_first("find", reads=True), tool.asks_first("book", reads=False)

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
    url: str, offering: Offering, choice: ToolChoice, resolved: ToolChoice, withheld: set[str]
) -> None:
    """Two servers have a ``find_room``, and only one of them can be offered by this name."""
    hall = McpTool(server_label="hall", server_url=url, allowed_tools=("find_room",))
    desk = McpTool(server_label="desk", server_url=url, allowed_tools=("find_room", "book_room"))
    options = GenerationOptions(tools=(Tool("lamp", "", {"type": "object"}),), tool_choice=choice)
    options, server = await offering.for_reply((), options, (hall, desk), ME)
    assert [tool.tool.name for tool in server.tools] == ["find_room", "desk_find_room", "book_room"]
    assert options.tool_choice == resolved
    assert options.withheld == withheld


async def test_what_fails_there_fails_here(url: str, offering: Offering) -> None:
    tools = await offering.server_tools("me", [McpTool(server_label="desk", server_url=url)])
    broken = next(tool for tool in tools if tool.tool.name == "break_down")
    assert (await broken.run({}, ME)).failed


async def test_a_call_that_is_cancelled_leaves_the_connection_good(url: str, offering: Offering) -> None:
    find, _, slow, _ = await offering.server_tools("me", [McpTool(server_label="desk", server_url=url)])
    call = asyncio.create_task(slow.run({}, ME))
    await asyncio.sleep(0.2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    async with asyncio.timeout(10):
        assert not (await find.run({"name": "Ada"}, ME)).failed


async def test_private_addresses_are_refused_to_clients(url: str) -> None:
    fetcher = Fetcher()
    offering = offering_of(McpConfig(), fetcher)
    tool = McpTool(server_label="desk", server_url=url)
    with pytest.raises(ToolServerError, match="not fetched"):
        await offering.listed("me", tool)
    assert await offering.server_tools("me", [tool]) == [], "the conversation goes on without it"
    await offering.close()
    fetcher.close()


async def test_a_server_that_is_not_there(offering: Offering) -> None:
    with pytest.raises(ToolServerError, match="reached"):
        await offering.listed("me", McpTool(server_label="desk", server_url="http://127.0.0.1:9/mcp"))


async def test_connections_are_one_owners_and_bounded(url: str, fetcher: Fetcher) -> None:
    servers = ToolServers(fetcher, list_s=5, idle_s=0.0)
    place = Place(url)
    await servers.listed("me", place)
    mine = servers._connections["me", place]
    await servers.listed("me", place)
    assert servers._connections["me", place] is mine, "listed once"
    await servers.call("you", place, "find_room", {"name": "x"})
    assert mine.over, "an idle one is left"
    busy = ToolServers(fetcher, list_s=5, idle_s=60)
    for number in range(MOST_OF_AN_OWNER):
        await busy.listed("me", Place(url, header_pairs({"X": str(number)}, None)))
    with pytest.raises(ToolServerError, match="already"):
        await busy.listed("me", place)
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
    assert offering.anything
    assert await offering.server_tools("me", [], wait=False) == []
    async with asyncio.timeout(30):
        tools = await offering.server_tools("me", [])
        assert [tool.tool.name for tool in tools] == ["find_room", "house_find_room"]
        assert not any(tool.needs_approval or tool.label for tool in tools)
        for tool in tools:
            assert (await tool.run({"name": "Ada"}, ME)).text == "Room Ada is on floor 7."
        await offering.close()


def test_a_tool_server_has_a_url_or_a_command() -> None:
    with pytest.raises(ValidationError, match="either"):
        McpServerConfig()


def test_names_a_model_can_write() -> None:
    assert offered_name("find.room", "desk", []) == "find_room"
    assert offered_name("find_room", "the desk", ["find_room"]) == "the_desk_find_room"


def test_secrets_stay_out_of_sight() -> None:
    tool = McpTool(server_label="d", server_url="http://d", authorization="s3cret", headers={"X": "s3cret"})
    assert "s3cret" not in repr(tool) + repr(client_place(tool))
