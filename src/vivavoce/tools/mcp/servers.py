"""The tool servers of all sessions: connections shared by what one owner does, lists remembered, idle ones closed."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from jsonschema import SchemaError
from jsonschema.validators import validator_for

from vivavoce.net.fetching import Fetcher
from vivavoce.tools.base import Calling, Effects, ServerTool, ToolResult
from vivavoce.tools.mcp.connection import Connection, Place, ToolServerError, texts
from vivavoce.types import Tool

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 64
MOST_OF_AN_OWNER = 8
MOST_TOOLS = 64
"""Tools of one server; what it has beyond is left out."""

MOST_DESCRIPTION = 300
MOST_SCHEMA = 8000
"""Characters: all of it goes into the prompt, and a stranger wrote it."""

_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NO_REST = {"type": "object", "properties": {}}

Key: TypeAlias = tuple[str, Place]


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as its server describes it. ``reads``: the server says that it changes nothing."""

    name: str
    description: str
    schema: Mapping[str, Any]
    reads: bool
    annotations: Mapping[str, Any] | None

    def shown(self) -> Mapping[str, Any]:
        """For an ``mcp_list_tools`` item."""
        told = {"name": self.name, "description": self.description, "input_schema": self.schema}
        return told if self.annotations is None else {**told, "annotations": self.annotations}


class ToolServers:
    """Connections by owner and place. ``list_s`` is how long a server may take to say what it has, ``idle_s`` when one that
    nobody uses is left.
    """

    def __init__(self, fetcher: Fetcher, *, list_s: float, idle_s: float) -> None:
        self._fetcher = fetcher
        self._list_s = list_s
        self._idle_s = idle_s
        self._connections: dict[Key, Connection] = {}
        self._listings: dict[Key, asyncio.Task[tuple[Listed, ...]]] = {}

    async def listed(self, owner: str, place: Place) -> tuple[Listed, ...]:
        """What a server has, asked once and remembered as long as the connection lasts. Raises ``ToolServerError``."""
        key = owner, place
        listing = self._listings.get(key)
        connection = self._connections.get(key)
        if listing is None or (listing.done() and (connection is None or connection.over or listing.exception())):
            listing = self._listings[key] = asyncio.create_task(self._list(key))
        return await asyncio.shield(listing)

    def known(self, owner: str, place: Place) -> tuple[Listed, ...]:
        """What a server is known to have by now; nothing while it has not answered."""
        listing = self._listings.get((owner, place))
        if listing is None or not listing.done() or listing.cancelled() or listing.exception() is not None:
            return ()
        return listing.result()

    async def call(self, owner: str, place: Place, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Call a tool. Raises ``ToolServerError`` when the server cannot be reached; never calls twice."""
        async with self._connected((owner, place)) as connection:
            client = await connection.client()
            try:
                answer = await client.call_tool(name, dict(arguments))
            except Exception as error:
                log.warning("tool server: %s: %s", name, type(error).__name__)
                raise ToolServerError(f"The tool server failed: {type(error).__name__}") from error
        text = texts(answer.content)
        return ToolResult(text, failed=bool(answer.is_error))

    async def close(self) -> None:
        """Leave all servers."""
        for listing in self._listings.values():
            listing.cancel()
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))
        self._connections.clear()
        self._listings.clear()

    # ---- inside

    async def _list(self, key: Key) -> tuple[Listed, ...]:
        try:
            async with asyncio.timeout(self._list_s), self._connected(key) as connection:
                client = await connection.client()
                found: list[Any] = []
                cursor = None
                while len(found) < MOST_TOOLS:
                    page = await client.list_tools(cursor=cursor)
                    found += page.tools
                    cursor = page.next_cursor
                    if cursor is None:
                        break
        except TimeoutError as error:
            raise ToolServerError(f"The tool server did not answer within {self._list_s:g} s.") from error
        except ToolServerError:
            raise
        except Exception as error:
            raise ToolServerError(f"The tool server failed: {type(error).__name__}") from error
        return tuple(tool for one in found[:MOST_TOOLS] if (tool := _listed(one)) is not None)

    @asynccontextmanager
    async def _connected(self, key: Key) -> AsyncIterator[Connection]:
        connection = await self._connection(key)
        connection.busy += 1
        try:
            yield connection
        except ToolServerError:
            if self._connections.get(key) is connection:
                del self._connections[key]
            await connection.close()
            raise
        finally:
            connection.busy -= 1
            connection.last_used = asyncio.get_running_loop().time()

    async def _connection(self, key: Key) -> Connection:
        await self._leave_idle()
        connection = self._connections.get(key)
        if connection is None or connection.over:
            if len(self._connections) >= MOST_CONNECTIONS:
                raise ToolServerError(f"There are {MOST_CONNECTIONS} connections to tool servers already.")
            if sum(owner == key[0] for owner, _ in self._connections) >= MOST_OF_AN_OWNER:
                raise ToolServerError(f"You have {MOST_OF_AN_OWNER} connections to tool servers already.")
            connection = self._connections[key] = Connection(key[1], self._fetcher)
        return connection

    async def _leave_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for key, connection in tuple(self._connections.items()):
            if connection.over or (not connection.busy and now - connection.last_used > self._idle_s):
                del self._connections[key]
                self._listings.pop(key, None)
                await connection.close()


class McpServerTool(ServerTool):
    """One tool of a tool server. ``server_label``: what the client calls the server, whether it is told of calls or not."""

    kind = "mcp"

    def __init__(
        self,
        servers: ToolServers,
        owner: str,
        place: Place,
        listed: Listed,
        *,
        name: str,
        timeout_s: float,
        label: str | None = None,
        server_label: str | None = None,
        needs_approval: bool = False,
    ) -> None:
        self.tool = Tool(name, listed.description, listed.schema)
        self.timeout_s = timeout_s
        self.effects: Effects = "sends" if listed.reads else "acts"
        self.label = label
        self.server_label = server_label
        self.shown_name = listed.name
        self.needs_approval = needs_approval
        self._servers = servers
        self._owner = owner
        self._place = place

    async def run(self, arguments: Mapping[str, Any], calling: Calling) -> ToolResult:
        """Call it."""
        try:
            return await self._servers.call(self._owner, self._place, self.shown_name, arguments)
        except ToolServerError as error:
            return ToolResult(str(error), failed=True, trusted=True)


def offered_name(name: str, label: str, taken: Sequence[str]) -> str:
    """What the model calls a tool: its own name if it is free and can be written, else with the server's."""
    plain = _NAME.sub("_", name)[:64] or "tool"
    return plain if plain not in taken else f"{_NAME.sub('_', label)[:24]}_{plain}"[:64]


def _listed(tool: Any) -> Listed | None:
    """A tool in our words; ``None`` for one whose parameters nobody can keep to."""
    schema = {**_NO_REST, **(tool.input_schema or {})}
    if schema.get("type") != "object" or len(repr(schema)) > MOST_SCHEMA:
        return None
    try:
        validator_for(schema).check_schema(schema)
    except SchemaError:
        return None
    hints = tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations is not None else None
    description = " ".join((tool.description or tool.title or tool.name).split())[:MOST_DESCRIPTION]
    return Listed(tool.name, description, schema, bool(hints and hints.get("readOnlyHint")), hints)
