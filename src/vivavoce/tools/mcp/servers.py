"""The tool servers of all sessions: connections shared by what one owner does, lists remembered, idle ones closed."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.json_fields import schema_complaint
from vivavoce.tools.base import CallContext, Effects, ServerTool, ToolResult
from vivavoce.tools.mcp.address import McpServerAddress, McpServerError
from vivavoce.types import Tool

if TYPE_CHECKING:
    from mcp.client.client import Client

    from vivavoce.tools.mcp.connection import ServerConnection

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
MAX_CONNECTIONS_PER_OWNER = 8
MAX_TOOLS = 64
"""Tools of one server; what it has beyond is left out."""

RETRY_S = 30.0
"""How long conversations do without a server that did not say what it has; who declares it anew has it asked again."""

MAX_DESCRIPTION_CHARACTERS = 300
MAX_SCHEMA_CHARACTERS = 8000
"""Characters: all of it goes into the prompt, and somebody else wrote it."""

_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NO_PARAMETERS = {"type": "object", "properties": {}}

Key: TypeAlias = tuple[str, McpServerAddress]


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as its server describes it. ``reads``: the server says that it changes nothing."""

    name: str
    description: str
    schema: Mapping[str, Any]
    reads: bool
    annotations: Mapping[str, Any] | None

    def list_item(self) -> Mapping[str, Any]:
        """For an ``mcp_list_tools`` item."""
        item = {"name": self.name, "description": self.description, "input_schema": self.schema}
        return item if self.annotations is None else {**item, "annotations": self.annotations}


class McpServerPool:
    """Connections by owner and address. ``list_s`` is how long a server may take to say what it has, ``idle_s`` when one that
    nobody uses is left.
    """

    def __init__(self, fetcher: Fetcher, *, list_s: float, idle_s: float) -> None:
        self._fetcher = fetcher
        self._list_s = list_s
        self._idle_s = idle_s
        self._connections: dict[Key, ServerConnection] = {}
        self._listings: dict[Key, asyncio.Task[tuple[ListedTool, ...]]] = {}
        self._silent: dict[Key, float] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._sdk_loaded = False

    async def listed(self, owner: str, address: McpServerAddress) -> tuple[ListedTool, ...]:
        """What a server has, asked once and remembered as long as the connection lasts. Raises ``McpServerError``."""
        return await asyncio.shield(self._listing((owner, address)))

    async def tools_of(
        self, owner: str, address: McpServerAddress, patience_s: float | None = None
    ) -> tuple[ListedTool, ...]:
        """What a server is known to have, asked for if need be and waited for ``patience_s`` (``None``: for its answer).

        Nothing while it has not answered; one that failed is left alone for ``RETRY_S``.
        """
        key = owner, address
        if self._silent.get(key, 0.0) > asyncio.get_running_loop().time():
            return ()
        listing = self._listing(key)
        await asyncio.wait([listing], timeout=patience_s)
        return listing.result() if listing.done() and not listing.cancelled() and not listing.exception() else ()

    async def call(self, owner: str, address: McpServerAddress, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Call a tool. Raises ``McpServerError`` when the server cannot be reached; never calls twice."""
        async with self._connected((owner, address)) as connection:
            return await connection.call(name, arguments)

    async def close(self) -> None:
        """Leave all servers."""
        for listing in self._listings.values():
            listing.cancel()
        for key in tuple(self._connections):
            self._leave(key)
        await asyncio.gather(*self._listings.values(), *self._leaving, return_exceptions=True)
        self._listings.clear()

    # ---- inside

    def _listing(self, key: Key) -> asyncio.Task[tuple[ListedTool, ...]]:
        """The question what a server has, asked again if its answer is none or the connection is another one by now."""
        listing, connection = self._listings.get(key), self._connections.get(key)
        if listing is None or (listing.done() and (connection is None or connection.is_closed)):
            listing = self._listings[key] = asyncio.create_task(self._list(key))
            listing.add_done_callback(lambda done: self._answered(key, done))
        return listing

    def _answered(self, key: Key, listing: asyncio.Task[tuple[ListedTool, ...]]) -> None:
        if listing.cancelled() or listing.exception() is None:
            self._silent.pop(key, None)
            return
        if self._listings.get(key) is listing:
            del self._listings[key]
        now = asyncio.get_running_loop().time()
        self._silent = {other: until for other, until in self._silent.items() if until > now}
        self._silent[key] = now + RETRY_S
        log.warning("tool server: %s", listing.exception())

    async def _list(self, key: Key) -> tuple[ListedTool, ...]:
        async with self._connected(key) as connection:
            try:
                async with asyncio.timeout(self._list_s):
                    tools = await _tools_of(await connection.client())
            except TimeoutError as error:
                raise McpServerError(f"The tool server did not answer within {self._list_s:g} s.") from error
            except McpServerError:
                raise
            except Exception as error:
                raise McpServerError(f"The tool server failed: {type(error).__name__}") from error
        return tuple(tool for raw in tools[:MAX_TOOLS] if (tool := _listed(raw)) is not None)

    @asynccontextmanager
    async def _connected(self, key: Key) -> AsyncIterator[ServerConnection]:
        await self._load_sdk()
        connection = self._connection(key)
        connection.busy += 1
        try:
            yield connection
        except McpServerError:
            if self._connections.get(key) is connection:
                self._leave(key)
            raise
        finally:
            connection.busy -= 1
            connection.last_used = asyncio.get_running_loop().time()

    async def _load_sdk(self) -> None:
        """Once, on a thread, and before any server's time begins to run: it takes seconds."""
        if not self._sdk_loaded:
            await asyncio.to_thread(import_module, "vivavoce.tools.mcp.connection")
            self._sdk_loaded = True

    def _connection(self, key: Key) -> ServerConnection:
        from vivavoce.tools.mcp.connection import ServerConnection

        self._leave_idle()
        connection = self._connections.get(key)
        if connection is None:
            clients = [owner for owner, address in self._connections if not address.own]
            if not key[1].own and len(clients) >= MAX_CONNECTIONS:
                raise McpServerError(f"There are {MAX_CONNECTIONS} connections to tool servers already.")
            if not key[1].own and clients.count(key[0]) >= MAX_CONNECTIONS_PER_OWNER:
                raise McpServerError(f"You have {MAX_CONNECTIONS_PER_OWNER} connections to tool servers already.")
            connection = self._connections[key] = ServerConnection(key[1], self._fetcher)
        return connection

    def _leave_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for key, connection in tuple(self._connections.items()):
            if connection.is_closed or (not connection.busy and now - connection.last_used > self._idle_s):
                self._leave(key)
                self._listings.pop(key, None)

    def _leave(self, key: Key) -> None:
        """Hang up; nobody waits for a server that takes its time to let go."""
        leaving = asyncio.create_task(self._connections.pop(key).close())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


async def _tools_of(client: Client) -> list[Any]:
    """The first tools a server lists, page by page."""
    tools: list[Any] = []
    cursor = None
    for _ in range(MAX_TOOLS):  # a page may be empty
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None or len(tools) >= MAX_TOOLS:
            break
    return tools


class McpServerTool(ServerTool):
    """One tool of a tool server. ``server_label``: what the client calls the server, whether it is told of calls or not."""

    kind = "mcp"

    def __init__(
        self,
        servers: McpServerPool,
        owner: str,
        address: McpServerAddress,
        listed: ListedTool,
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
        self.original_name = listed.name
        self.needs_approval = needs_approval
        self._servers = servers
        self._owner = owner
        self._address = address

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Call it."""
        try:
            return await self._servers.call(self._owner, self._address, self.original_name, arguments)
        except McpServerError as error:
            return ToolResult(str(error), failed=True, trusted=True)


def offered_name(name: str, label: str, used: Sequence[str]) -> str:
    """What the model calls a tool: its own name if it is free and can be written, else with the server's."""
    plain = _NAME.sub("_", name)[:64] or "tool"
    return plain if plain not in used else f"{_NAME.sub('_', label)[:24]}_{plain}"[:64]


def _listed(tool: Any) -> ListedTool | None:
    """A tool in our words; ``None`` for one whose parameters nobody can keep to."""
    schema = {**_NO_PARAMETERS, **(tool.input_schema or {})}
    if schema.get("type") != "object" or len(repr(schema)) > MAX_SCHEMA_CHARACTERS:
        return None
    if schema_complaint(json.dumps(schema)):
        return None
    hints = tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations is not None else None
    description = " ".join((tool.description or tool.title or tool.name).split())[:MAX_DESCRIPTION_CHARACTERS]
    return ListedTool(tool.name, description, schema, bool(hints and hints.get("readOnlyHint")), hints)
