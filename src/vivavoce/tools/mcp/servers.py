"""The tool servers of all sessions: connections shared by what one owner does, lists remembered, idle ones closed."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from mcp.client.client import Client

from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.reading import schema_complaint
from vivavoce.tools.base import Calling, Effects, ServerTool, ToolResult
from vivavoce.tools.mcp.connection import Connection, Place, ToolServerError, texts
from vivavoce.types import Tool

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 64
MOST_OF_AN_OWNER = 8
MOST_TOOLS = 64
"""Tools of one server; what it has beyond is left out."""

RETRY_S = 30.0
"""How long conversations do without a server that did not say what it has; who declares it anew has it asked again."""

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
        self._silent: dict[Key, float] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def listed(self, owner: str, place: Place) -> tuple[Listed, ...]:
        """What a server has, asked once and remembered as long as the connection lasts. Raises ``ToolServerError``."""
        return await asyncio.shield(self._listing((owner, place)))

    async def known(self, owner: str, place: Place, patience_s: float | None = None) -> tuple[Listed, ...]:
        """What a server is known to have, asked for if need be and waited for ``patience_s`` (``None``: for its answer).

        Nothing while it has not answered; one that failed is left alone for ``RETRY_S``.
        """
        key = owner, place
        if self._silent.get(key, 0.0) > asyncio.get_running_loop().time():
            return ()
        listing = self._listing(key)
        await asyncio.wait([listing], timeout=patience_s)
        return listing.result() if listing.done() and not listing.cancelled() and not listing.exception() else ()

    async def call(self, owner: str, place: Place, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Call a tool. Raises ``ToolServerError`` when the server cannot be reached; never calls twice."""
        async with self._connected((owner, place)) as connection:
            client = await connection.client()
            try:
                answer = await client.call_tool(name, dict(arguments))
            except Exception as error:
                log.warning("tool server: %r: %s", name, type(error).__name__)
                raise ToolServerError(f"The tool server failed: {type(error).__name__}") from error
        return ToolResult(texts(answer), failed=bool(answer.is_error))

    async def close(self) -> None:
        """Leave all servers."""
        for listing in self._listings.values():
            listing.cancel()
        for key in tuple(self._connections):
            self._leave(key)
        await asyncio.gather(*self._listings.values(), *self._leaving, return_exceptions=True)
        self._listings.clear()

    # ---- inside

    def _listing(self, key: Key) -> asyncio.Task[tuple[Listed, ...]]:
        """The question what a server has, asked again if its answer is none or the connection is another one by now."""
        listing, connection = self._listings.get(key), self._connections.get(key)
        if listing is None or (listing.done() and (connection is None or connection.over)):
            listing = self._listings[key] = asyncio.create_task(self._list(key))
            listing.add_done_callback(lambda done: self._answered(key, done))
        return listing

    def _answered(self, key: Key, listing: asyncio.Task[tuple[Listed, ...]]) -> None:
        if listing.cancelled() or listing.exception() is None:
            self._silent.pop(key, None)
            return
        if self._listings.get(key) is listing:
            del self._listings[key]
        now = asyncio.get_running_loop().time()
        self._silent = {other: until for other, until in self._silent.items() if until > now}
        self._silent[key] = now + RETRY_S
        log.warning("tool server: %s", listing.exception())

    async def _list(self, key: Key) -> tuple[Listed, ...]:
        async with self._connected(key) as connection:
            try:
                async with asyncio.timeout(self._list_s):
                    found = await _tools_of(await connection.client())
            except TimeoutError as error:
                raise ToolServerError(f"The tool server did not answer within {self._list_s:g} s.") from error
            except ToolServerError:
                raise
            except Exception as error:
                raise ToolServerError(f"The tool server failed: {type(error).__name__}") from error
        return tuple(tool for one in found[:MOST_TOOLS] if (tool := _listed(one)) is not None)

    @asynccontextmanager
    async def _connected(self, key: Key) -> AsyncIterator[Connection]:
        connection = self._connection(key)
        connection.busy += 1
        try:
            yield connection
        except ToolServerError:
            if self._connections.get(key) is connection:
                self._leave(key)
            raise
        finally:
            connection.busy -= 1
            connection.last_used = asyncio.get_running_loop().time()

    def _connection(self, key: Key) -> Connection:
        self._leave_idle()
        connection = self._connections.get(key)
        if connection is None:
            clients = [owner for owner, place in self._connections if not place.own]
            if not key[1].own and len(clients) >= MOST_CONNECTIONS:
                raise ToolServerError(f"There are {MOST_CONNECTIONS} connections to tool servers already.")
            if not key[1].own and clients.count(key[0]) >= MOST_OF_AN_OWNER:
                raise ToolServerError(f"You have {MOST_OF_AN_OWNER} connections to tool servers already.")
            connection = self._connections[key] = Connection(key[1], self._fetcher)
        return connection

    def _leave_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for key, connection in tuple(self._connections.items()):
            if connection.over or (not connection.busy and now - connection.last_used > self._idle_s):
                self._leave(key)
                self._listings.pop(key, None)

    def _leave(self, key: Key) -> None:
        """Hang up; nobody waits for a server that takes its time to let go."""
        leaving = asyncio.create_task(self._connections.pop(key).close())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


async def _tools_of(client: Client) -> list[Any]:
    """The first tools a server lists, page by page."""
    found: list[Any] = []
    cursor = None
    for _ in range(MOST_TOOLS):  # a page may be empty
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_TOOLS:
            break
    return found


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
    if schema_complaint(json.dumps(schema)):
        return None
    hints = tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations is not None else None
    description = " ".join((tool.description or tool.title or tool.name).split())[:MOST_DESCRIPTION]
    return Listed(tool.name, description, schema, bool(hints and hints.get("readOnlyHint")), hints)
