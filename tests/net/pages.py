"""A server for tests: an ASGI application on a port of this machine, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn


@contextmanager
def served(app: Any, *, certificate: tuple[Path, Path] | None = None) -> Iterator[int]:
    """Run ``app``; yields its port. ``certificate`` is (certificate, key) of a server that speaks TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    options = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    if certificate is not None:
        options.ssl_certfile, options.ssl_keyfile = certificate
    server = uvicorn.Server(options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)


class Door:
    """An application that another one stands behind: one server for many tests."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Pages:
    """Answers by path. ``asked`` holds the requests' headers."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.places: dict[str, Any] = {}
        self.was_asked = threading.Event()
        self.disconnected = threading.Event()

    def put(self, path: str, body: bytes = b"", *, status: int = 200, **headers: str) -> None:
        """A fixed answer."""
        self.places[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.was_asked.set()
        place = self.places.get(scope["path"], (404, {}, b""))
        if place == "hangs":
            await self._wait_until_gone(receive)
            return
        if place == "endless":
            await self._go_on(receive, send)
            return
        status, headers, body = place
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    async def _wait_until_gone(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.disconnected.set()

    async def _go_on(self, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.create_task(self._wait_until_gone(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": b"<p>more</p>", "more_body": True})
            await asyncio.sleep(0.001)
