"""Web pages of other origins: what a browser asks first, what it lets a page read, and who comes in without a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from running import RunningServer, holding, running
from vivavoce.config import load_config

PAGE = "https://app.example.org"
OTHER = "https://evil.example"
KEY = "alice-secret-1"
CHAT = {"model": "step-audio-2", "messages": [{"role": "user", "content": "Hi"}]}
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
}


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    settings = {"auth": {"keys": {"alice": KEY}}, "http": {"cors_origins": [PAGE, "http://localhost:3000"]}}
    with running(load_config(settings, profile="fake")) as started:
        yield started


@pytest.fixture(scope="module")
def keyless() -> Iterator[RunningServer]:
    with running(load_config({"http": {"cors_origins": [PAGE]}}, profile="fake")) as started:
        yield started


@pytest.fixture(scope="module")
def everybodys() -> Iterator[RunningServer]:
    with running(load_config({"http": {"cors_origins": ["*", "null"]}}, profile="fake")) as started:
        yield started


def ask(server: RunningServer, method: str, path: str, headers: Mapping[str, str], **more: Any) -> httpx.Response:
    return httpx.request(method, server.http + path, headers=headers, timeout=60, **more)


def readable(answer: httpx.Response, page: str = PAGE) -> bool:
    """Whether a browser shows the answer to the page."""
    return answer.headers.get("access-control-allow-origin") in (page, "*")


def test_by_default_no_page_of_another_origin_reads_anything(server: RunningServer) -> None:
    answer = ask(server, "GET", "/v1/models", {"Origin": "http://localhost:3000"})
    assert answer.status_code == 200
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert ask(server, "OPTIONS", "/v1/models", {"Origin": PAGE, **PREFLIGHT}).status_code == 403


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/speech", "/v1/files", "/health", "/v1/nowhere"])
def test_a_browser_may_send_a_key(locked: RunningServer, path: str) -> None:
    """The preflight itself has none."""
    answer = ask(
        locked, "OPTIONS", path, {"Origin": PAGE, **PREFLIGHT, "Access-Control-Request-Private-Network": "true"}
    )
    assert answer.status_code == 200
    assert readable(answer)
    assert {"authorization", "x-stainless-os"} <= set(answer.headers["access-control-allow-headers"].split(","))
    assert {"POST", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_a_page_that_is_not_listed_may_not(locked: RunningServer) -> None:
    assert not readable(ask(locked, "OPTIONS", "/v1/chat/completions", {"Origin": OTHER, **PREFLIGHT}), OTHER)
    answer = ask(locked, "GET", "/v1/models", {"Origin": OTHER, "Authorization": f"Bearer {KEY}"})
    assert not readable(answer, OTHER)
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("method", "path", "key", "more", "status"),
    [
        ("GET", "/v1/models", KEY, {}, 200),
        ("GET", "/v1/models", "wrong-secret-1", {}, 401),
        ("GET", "/v1/models/nobody", KEY, {}, 404),
        ("GET", "/v1/nowhere", KEY, {}, 404),
        ("DELETE", "/v1/models", KEY, {}, 405),
        ("POST", "/v1/search", KEY, {"content": b"x" * 33 * 1024 * 1024}, 413),
        ("POST", "/v1/chat/completions", KEY, {"json": {}}, 400),
    ],
)
def test_a_page_reads_answers_and_refusals(
    locked: RunningServer, method: str, path: str, key: str, more: dict[str, Any], status: int
) -> None:
    answer = ask(locked, method, path, {"Origin": PAGE, "Authorization": f"Bearer {key}"}, **more)
    assert answer.status_code == status
    assert readable(answer)
    assert {"X-Trace-Id", "Retry-After"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    assert answer.headers["x-trace-id"]


def test_a_page_is_told_that_the_server_is_full(locked: RunningServer) -> None:
    slots = locked.core.conversation_slots
    with ExitStack() as taken:
        while slots.taken < slots.capacity:
            taken.enter_context(holding(slots))
        answer = ask(
            locked, "POST", "/v1/chat/completions", {"Origin": PAGE, "Authorization": f"Bearer {KEY}"}, json=CHAT
        )
    assert (answer.status_code, readable(answer)) == (429, True)
    assert answer.headers["retry-after"]


def test_a_page_reads_a_stream(locked: RunningServer) -> None:
    headers = {"Origin": PAGE, "Authorization": f"Bearer {KEY}"}
    answer = ask(locked, "POST", "/v1/chat/completions", headers, json={**CHAT, "stream": True})
    assert (answer.status_code, readable(answer)) == (200, True)
    assert answer.text.endswith("data: [DONE]\n\n")


async def upgraded(server: RunningServer, origin: str) -> int:
    """The status of a WebSocket a page opens."""
    try:
        async with connect(f"{server.ws}/v1/realtime?model=step-audio-2", origin=Origin(origin)):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize(
    ("origin", "status"), [(PAGE, 200), ("http://localhost:5173", 200), (OTHER, 403), ("null", 403)]
)
async def test_without_keys_a_listed_page_comes_in_by_either_door(
    keyless: RunningServer, origin: str, status: int
) -> None:
    answer = ask(keyless, "GET", "/v1/models", {"Origin": origin})
    assert answer.status_code == status
    assert readable(answer, origin) == (origin == PAGE)
    assert await upgraded(keyless, origin) == (101 if status == 200 else status)


@pytest.mark.parametrize("origin", [OTHER, "null"])
async def test_without_keys_every_page_is_nobody(everybodys: RunningServer, origin: str) -> None:
    """The answer can be read, but there is nothing in it."""
    answer = ask(everybodys, "GET", "/v1/models", {"Origin": origin})
    assert (answer.status_code, readable(answer, origin)) == (403, True)
    assert await upgraded(everybodys, origin) == 403


def test_origins_are_written_as_browsers_write_them() -> None:
    origins = ["HTTPS://App.Example.Org/", "http://localhost:3000", "app://obsidian.md", "null", "http://[::1]:5173"]
    config = load_config({"http": {"cors_origins": origins}}, profile="fake")
    assert config.http.cors_origins == (
        "https://app.example.org",
        "http://localhost:3000",
        "app://obsidian.md",
        "null",
        "http://[::1]:5173",
    )


@pytest.mark.parametrize(
    "origin", ["app.example.org", "https://app.example.org/path", "https://*.example.org", "", "https://"]
)
def test_what_is_no_origin_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        load_config({"http": {"cors_origins": [origin]}}, profile="fake")
