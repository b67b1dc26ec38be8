"""Every error has the documented shape, and every answer a trace id: also those the framework or a bug makes."""

from __future__ import annotations

import errno
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.errors import EngineError, StoreBusyError, StoreError, StoreFullError
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import Loading

broken = APIRouter(route_class=ReportingRoute)


@broken.get("/broken/bug")
async def bug() -> None:
    raise ZeroDivisionError("a secret of the inside")


@broken.get("/broken/store")
async def store() -> None:
    raise StoreError("a secret of the inside")


@broken.get("/broken/busy")
async def busy() -> None:
    raise StoreBusyError("a secret of the inside")


@broken.get("/broken/full")
async def full() -> None:
    raise StoreFullError("a secret of the inside")


@broken.get("/broken/disk")
async def disk() -> None:
    """As where a body is kept while it arrives."""
    raise OSError(errno.ENOSPC, "a secret of the inside")


@broken.get("/broken/pipe")
async def pipe() -> None:
    raise ConnectionResetError("a secret of the inside")


@broken.websocket("/broken/busy/socket")
async def busy_socket(socket: WebSocket) -> None:
    raise StoreBusyError("a secret of the inside")


@broken.get("/broken/engine")
async def engine(*, retriable: bool) -> None:
    raise EngineError("fake", "it failed", retriable=retriable)


@broken.websocket("/broken/socket")
async def socket(socket: WebSocket) -> None:
    raise ZeroDivisionError("a secret of the inside")


@pytest.fixture(scope="module")
def failing() -> Iterator[RunningServer]:
    with running(load_config(profile="fake")) as started:
        started.app.include_router(broken)
        yield started


def error_of(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "code", "param"}
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Trace-Id"])
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("POST", "/v1/nowhere", {"json": {}}, 404, "not_found"),
        ("GET", "/v1/realtime?model=step-audio-2", {}, 404, "not_found"),
        ("PUT", "/v1/files", {}, 405, "method_not_allowed"),
        ("POST", "/v1/search", {"content": b"{"}, 415, "unsupported_content_type"),
        ("POST", "/v1/search", {"data": {"query": "x"}}, 415, "unsupported_content_type"),
        (
            "POST", "/v1/search", {"content": b"{", "headers": {"Content-Type": "application/json"}},
            400, "invalid_json",
        ),
        ("POST", "/v1/search", {"json": {}}, 400, "missing_required_parameter"),
        ("POST", "/v1/search", {"json": {"query": ["x"]}}, 400, "invalid_value"),
        ("POST", "/v1/search", {"json": [1]}, 400, "invalid_value"),
        ("POST", "/v1/nowhere", {"content": bytes(40 * 1024 * 1024)}, 413, "request_too_large"),
        ("POST", "/v1/search", {"content": bytes(40 * 1024 * 1024)}, 413, "request_too_large"),
        ("GET", "/broken/bug", {}, 500, "internal_error"),
        ("GET", "/broken/store", {}, 500, "internal_error"),
        ("GET", "/broken/busy", {}, 503, "store_busy"),
        ("GET", "/broken/full", {}, 507, "insufficient_storage"),
        ("GET", "/broken/disk", {}, 507, "insufficient_storage"),
        ("GET", "/broken/pipe", {}, 500, "internal_error"),
        ("GET", "/broken/engine?retriable=0", {}, 500, "engine_error"),
        ("GET", "/broken/engine?retriable=1", {}, 503, "engine_busy"),
    ],
)  # fmt: skip
def test_every_error_has_the_documented_shape(
    failing: RunningServer, method: str, path: str, request_: Mapping[str, Any], status: int, code: str
) -> None:
    response = httpx.request(method, failing.http + path, timeout=30, **request_)
    assert response.status_code == status
    error = error_of(response)
    assert error["code"] == code
    assert "secret" not in response.text
    assert (error["type"] == "server_error") == (status >= 500)
    if status == 405:
        assert set(response.headers["Allow"].split(", ")) <= {"GET", "POST"}


def test_a_wrong_field_is_named_as_its_client_writes_it(failing: RunningServer) -> None:
    for body, param in (({"query": "x", "n": "many"}, "n"), ({"query": "x", "category": 1}, "category")):
        assert error_of(httpx.post(f"{failing.http}/v1/search", json=body))["param"] == param


@pytest.mark.parametrize("trace", ["mine", "a.b-c:D_9", "x" * 128])
def test_a_clients_own_trace_id_comes_back(failing: RunningServer, trace: str) -> None:
    for path in ("/health", "/nowhere", "/broken/bug"):
        assert httpx.get(failing.http + path, headers={"X-Trace-Id": trace}).headers["X-Trace-Id"] == trace


SPOKEN = {"model": "step-tts-2", "voice": "alloy", "input": "Hi."}
ASKED = {"model": "step-audio-2", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/audio/speech", SPOKEN, 200),
        ("POST", "/v1/audio/speech", SPOKEN | {"stream_format": "sse"}, 200),
        ("POST", "/v1/audio/speech", SPOKEN | {"return_url": True}, 200),
        ("POST", "/v1/audio/speech", SPOKEN | {"voice": "nobody"}, 400),
        ("POST", "/v1/chat/completions", ASKED, 200),
        ("POST", "/v1/chat/completions", ASKED | {"stream": True}, 200),
        ("POST", "/v1/chat/completions", ASKED | {"stream": True, "n": 9}, 400),
        ("POST", "/v1/audio/transcriptions", ASKED, 415),
        ("HEAD", "/v1/models", None, 405),
        ("OPTIONS", "/v1/models", None, 405),
        ("GET", "/docs", None, 200),
        ("GET", "/openapi.json", None, 200),
    ],
)
def test_every_kind_of_answer_has_a_trace_id(
    failing: RunningServer, method: str, path: str, body: Mapping[str, Any] | None, status: int
) -> None:
    headers = {"X-Trace-Id": "mine"}
    answer = httpx.request(method, failing.http + path, json=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.headers["X-Trace-Id"]) == (status, "mine")
    if status >= 400 and method != "HEAD":
        assert set(answer.json()["error"]) == {"message", "type", "code", "param"}


@pytest.mark.parametrize("trace", ["", "two words", "x" * 129, "a;b", '"', "<b>"])
def test_one_that_is_not_sane_does_not(failing: RunningServer, trace: str) -> None:
    answered = httpx.get(f"{failing.http}/health", headers={"X-Trace-Id": trace}).headers["X-Trace-Id"]
    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_a_bug_is_logged_with_the_trace_id_of_its_answer(
    failing: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    trace = httpx.get(f"{failing.http}/broken/bug?api_key=sk-secret").headers["X-Trace-Id"]
    deadline = time.monotonic() + 10  # the answer goes first
    while not any(trace in record.getMessage() for record in caplog.records) and time.monotonic() < deadline:
        time.sleep(0.01)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert trace in record.getMessage()
    assert record.exc_info is not None
    assert "sk-secret" not in record.getMessage()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/nowhere", 404, "not_found"),
        ("/v1/realtime?model=gpt-17", 404, "model_not_found"),
        ("/broken/socket", 500, "internal_error"),
        ("/broken/busy/socket", 503, "store_busy"),
    ],
)
async def test_a_refused_upgrade_says_why(failing: RunningServer, path: str, status: int, code: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(failing.ws + path, additional_headers={"X-Trace-Id": "mine"}):
            pass
    response = refused.value.response
    assert response.status_code == status
    assert json.loads(response.body or b"")["error"]["code"] == code
    assert response.headers["X-Trace-Id"] == "mine"


async def test_an_accepted_one_has_a_trace_id_as_well(failing: RunningServer) -> None:
    async with connect(f"{failing.ws}/v1/realtime?model=step-audio-2") as connection:
        assert connection.response is not None
        assert re.fullmatch("[0-9a-f]{32}", connection.response.headers["X-Trace-Id"])


def test_while_it_loads_it_says_when_to_come_again(failing: RunningServer) -> None:
    with failing.at(Loading()):
        response = httpx.get(f"{failing.http}/v1/files")
    assert response.status_code == 503
    assert error_of(response)["code"] == "server_loading"
    assert int(response.headers["Retry-After"]) > 0
