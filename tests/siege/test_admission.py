"""Admission comes before a byte of a body is read, on every route that exists, and on those nobody has written yet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Message

from vivavoce.app import create_app
from vivavoce.config import load_config
from vivavoce.permissions import Key
from vivavoce.store.keys import Keys

OPEN = {
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/health"),
    ("HEAD", "/health"),
    ("GET", "/livez"),
    ("HEAD", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("HEAD", "/readyz"),
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
    ("GET", "/docs"),
    ("HEAD", "/docs"),
    ("GET", "/favicon.svg"),
    ("HEAD", "/favicon.svg"),
    ("GET", "/assets/{name}"),
    ("HEAD", "/assets/{name}"),
    ("GET", "/v1/audio/voices"),
    ("GET", "/v1/audio/models"),
    ("GET", "/v1/audio/speech/files/{name}"),
}
"""All that may be had without a key. Whoever adds to it has thought about it."""


class OneKey(Keys):
    """Created keys, of which one opens chat alone."""

    def __init__(self) -> None:
        pass

    async def find(self, offered: Collection[str]) -> Key | None:
        return Key("key_1", "carol", scopes=frozenset({"chat"})) if "vv-chat-only" in offered else None

    async def any(self) -> bool:
        return True


@pytest.fixture(scope="module")
def app() -> FastAPI:
    made = create_app(load_config({"auth": {"keys": {"alice": "alice-secret-1"}}}, profile="fake"))
    made.state.app_state.auth._created = OneKey
    return made


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route; ``WS`` for a WebSocket."""
    found = []
    for route in iter_route_contexts(app.routes):
        assert route.path is not None
        methods = route.methods or ["WS"]
        found += [(method, route.path) for method in sorted(methods)]
    return found


class Knock:
    """One request to the application that notes what was answered, and whether anybody has read of its body."""

    def __init__(self, method: str, path: str, *headers: tuple[bytes, bytes]) -> None:
        concrete = path.replace("{model:path}", "m")
        self.scope: dict[str, Any] = {
            "type": "websocket" if method == "WS" else "http",
            "method": method,
            "path": concrete,
            "raw_path": concrete.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "http_version": "1.1",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.read = 0

    async def receive(self) -> Message:
        if self.status:  # after the answer: that the client has gone
            return {"type": "http.disconnect"}
        self.read += 1
        return {"type": "http.request", "body": b"[" * 1000, "more_body": True}

    async def send(self, message: Message) -> None:
        if message["type"].endswith("start"):
            self.status, self.headers = message["status"], dict(message["headers"])
        self.body += message.get("body", b"")

    async def at(self, app: FastAPI) -> Knock:
        async with asyncio.timeout(10):
            await app(self.scope, self.receive, self.send)
        return self


async def test_every_route_asks_for_a_key_before_it_reads(app: FastAPI) -> None:
    asked = [route for route in routes(app) if route not in OPEN]
    assert ("POST", "/v1/audio/speech") in asked
    assert ("WS", "/v1/realtime/audio") in asked
    for method, path in asked:
        knock = await Knock(method, path, (b"transfer-encoding", b"chunked")).at(app)
        assert (knock.status, knock.read) == (401, 0), (method, path)
        error = json.loads(knock.body)["error"] if method != "HEAD" else {"code": "invalid_api_key"}
        assert error["code"] == "invalid_api_key"
        assert knock.headers[b"www-authenticate"] == b"Bearer"
        assert knock.headers[b"x-trace-id"]


async def test_what_is_open_without_a_key_is_listed(app: FastAPI) -> None:
    for method, path in routes(app):
        knock = Knock(method, path)
        if (method, path) in OPEN:
            assert (await knock.at(app)).status not in (401, 403), (method, path)


async def test_a_scope_is_checked_before_the_body(app: FastAPI) -> None:
    for method, path in routes(app):
        wrong_scope = any(f"/{part}" in path for part in ("speech", "embeddings", "search", "vector_stores", "files"))
        if wrong_scope and (method, path) not in OPEN:
            knock = await Knock(method, path, (b"authorization", b"Bearer vv-chat-only")).at(app)
            assert (knock.status, knock.read) == (403, 0), (method, path)


async def test_a_route_nobody_has_thought_of_is_closed(app: FastAPI) -> None:
    @app.post("/v2/brand/new")
    async def new(body: dict[str, int]) -> None:
        raise AssertionError("reached without a key")

    knock = await Knock("POST", "/v2/brand/new").at(app)
    assert (knock.status, knock.read) == (401, 0)
    knock = await Knock("POST", "/v2/brand/new", (b"authorization", b"Bearer vv-chat-only")).at(app)
    assert (knock.status, knock.read) == (403, 0)
