"""A tool server for tests, made with the official SDK. ``python desk.py`` speaks over standard streams."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations


class Waits:
    """That somebody began to wait, and stopped before the time was over."""

    def __init__(self) -> None:
        self.began, self.stopped = threading.Event(), threading.Event()


def desk(told: list[str] | None = None, waits: Waits | None = None) -> MCPServer:
    """A front desk: it knows rooms (which only reads) and books them (which does not); it can be slow, and it can fail.

    ``told`` gets what was booked; ``waits`` shows whether somebody waits, and does no more.
    """
    server = MCPServer("desk")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def find_room(name: str) -> str:
        """Tell where a meeting room is."""
        return f"Room {name} is on floor 7."

    @server.tool()
    def book_room(name: str) -> str:
        """Book a meeting room."""
        if told is not None:
            told.append(name)
        return f"Booked {name}."

    @server.tool()
    async def wait_long() -> str:
        """Takes its time."""
        waiting = waits or Waits()
        waiting.began.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            waiting.stopped.set()
            raise
        return "done"

    @server.tool()
    def break_down() -> str:
        """Fails."""
        raise RuntimeError("the desk is on fire")

    return server


@contextmanager
def running_desk(
    told: list[str] | None = None,
    seen: list[dict[str, str]] | None = None,
    waits: Waits | None = None,
) -> Iterator[str]:
    """The desk over streamable HTTP on a free port; ``seen`` gets the headers of each request."""
    app = desk(told, waits).streamable_http_app()

    async def watched(scope, receive, send):  # type: ignore[no-untyped-def]
        if scope["type"] == "http" and seen is not None:
            seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await app(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(watched, log_config=None, lifespan="on", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    desk().run("stdio")
