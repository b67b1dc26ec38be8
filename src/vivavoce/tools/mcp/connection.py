"""One connection to a tool server, in a task of its own: the SDK wants to be left where it was entered.

The SDK comes with the extra ``mcp``, and its import takes seconds and 60 MB: this module is imported for the first connection.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import (
    CallToolResult,
    EmbeddedResource,
    Implementation,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from vivavoce import __version__
from vivavoce.errors import VivavoceError
from vivavoce.net.fetching import Fetcher
from vivavoce.tools.base import ToolResult
from vivavoce.tools.mcp.address import McpServerAddress, McpServerError
from vivavoce.tools.mcp.transport import http_client

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
"""For a server to let go."""


class ServerConnection:
    """A connection that opens at once and stays until it is closed. ``busy`` counts the calls on it."""

    def __init__(self, address: McpServerAddress, fetcher: Fetcher) -> None:
        self.busy = 0
        self.last_used = asyncio.get_running_loop().time()
        self._address = address
        self._fetcher = fetcher
        self._closing = asyncio.Event()
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live())

    @property
    def is_closed(self) -> bool:
        """Whether it has ended; another one has to be opened."""
        return self._life.done()

    async def client(self) -> Client:
        """The SDK's client, as soon as the server has answered. Raises ``McpServerError``."""
        return await asyncio.shield(self._client)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Call a tool. Raises ``McpServerError``; never calls twice."""
        client = await self.client()
        try:
            answer = await client.call_tool(name, dict(arguments))
        except Exception as error:
            log.warning("tool server: %r: %s", name, type(error).__name__)
            raise McpServerError(f"The tool server failed: {type(error).__name__}") from error
        return ToolResult(texts(answer), failed=bool(answer.is_error))

    async def close(self) -> None:
        """Hang up, or stop the command."""
        self._closing.set()
        if self._client.done():  # else there is nobody yet to take leave of
            await asyncio.wait([self._life], timeout=CLOSE_TIMEOUT_S)
        self._life.cancel()
        await asyncio.wait([self._life])

    async def _live(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(await self._open(stack))
                self._client.set_result(client)
                await self._closing.wait()
        except BaseException as error:
            self._fail(error)
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            self._fail(None)

    async def _open(self, stack: AsyncExitStack) -> Client:
        address, implementation = self._address, Implementation(name="vivavoce", version=__version__)
        if address.url is None:
            command, *arguments = address.command
            server = StdioServerParameters(command=command, args=arguments, env=dict(address.env), cwd=address.folder)
            return Client(server, client_info=implementation)
        fetcher = None if address.own else self._fetcher
        http = await stack.enter_async_context(http_client(dict(address.headers), fetcher))
        return Client(streamable_http_client(address.url, http_client=http), client_info=implementation)

    def _fail(self, error: BaseException | None) -> None:
        if not self._client.done():
            self._client.set_exception(McpServerError(f"The tool server cannot be reached: {_reason(error)}"))
            self._client.exception()  # whoever waits gets it; nobody may


def _reason(error: BaseException | None) -> str:
    """What went wrong first, in few words. An address the client gave is its own; nothing else is told."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, VivavoceError):
        return str(error)
    return type(error).__name__ if error is not None else "the connection was closed"


def texts(answer: CallToolResult) -> str:
    """The words of a tool's answer; pictures and sounds are named only. Without any, its data."""
    parts = []
    for block in answer.content:
        match block:
            case TextContent(text=words):
                parts.append(words)
            case EmbeddedResource(resource=TextResourceContents(text=words)):
                parts.append(words)
            case ResourceLink(name=name, description=description):
                parts.append(f"{name}: {description or ''}")
            case _:
                parts.append(f"({block.type})")
    text = "\n".join(part for part in parts if part)
    if not text and answer.structured_content is not None:
        return json.dumps(answer.structured_content, ensure_ascii=False)
    return text
