"""A tool server that need not keep to its protocol: it answers each method with whatever it was given."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from typing import Any

HANDSHAKE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "liar", "version": "1"},
}


UNKNOWN = object()
"""Of a method the server does not have."""


class Liar:
    """``results`` by method; ``asked`` are the methods it was asked, ``headers`` those of the last request.

    A result may also be bytes, sent as they are, ``None``: then there is no answer until the client gives up, or
    ``UNKNOWN``, as of every method that has none.
    """

    def __init__(self, **results: Any) -> None:
        self.results: dict[str, Any] = {"initialize": HANDSHAKE, **{_method(name): results[name] for name in results}}
        self.asked: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.was_asked, self.waiting, self.cancelled = threading.Event(), threading.Event(), threading.Event()

    def go_on(self, **results: Any) -> None:
        """Answer those who wait, and all others, with these results."""
        self.results |= {_method(name): result for name, result in results.items()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await self._read(receive)
        method = str(message.get("method", scope["method"]))
        self.asked.append(method)
        self.was_asked.set()
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if method in self.results and self.results[method] is None and await self._nobody_waits(method, receive):
            return
        if method == "notifications/cancelled":
            self.cancelled.set()
        if method in ("GET", "DELETE"):
            await self._send(send, 405, b"")
        elif "id" not in message:
            await self._send(send, 202, b"")
        else:
            await self._send(send, 200, self._answer(method, message))

    def _answer(self, method: str, message: Mapping[str, Any]) -> bytes:
        if self.results.get(method, UNKNOWN) is UNKNOWN:
            error = {"code": -32601, "message": f"there is no {method}"}
            return json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode()
        result = self.results[method]
        if isinstance(result, bytes):
            return result
        return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()

    async def _read(self, receive: Any) -> Mapping[str, Any]:
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part["body"]
            if not part.get("more_body"):
                break
        read: Mapping[str, Any] = json.loads(body) if body else {}
        return read

    async def _nobody_waits(self, method: str, receive: Any) -> bool:
        """Keep the client waiting until there is an answer; whether it has hung up, or cancelled, before."""
        self.waiting.set()
        hung_up = asyncio.create_task(receive())
        while not (hung_up.done() or self.cancelled.is_set()) and self.results[method] is None:  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        given_up = self.results[method] is None
        hung_up.cancel()
        return given_up

    async def _send(self, send: Any, status: int, body: bytes) -> None:
        headers = [(b"content-type", b"application/json")] if body else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _method(name: str) -> str:
    return name.replace("_", "/", 1)
