"""Bodies of requests: too large, too slow, too costly to parse, and too many at once."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from loops import stops_nobody
from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.errors import ClientError
from vivavoce.http import incoming
from vivavoce.http.auth import remember_principal
from vivavoce.http.incoming import BodyLimitMiddleware, IncomingBody
from vivavoce.http.principals import Principal
from vivavoce.protocol.json_text import MAX_VALUES, MAX_VALUES_IN_LARGE_BODY, readable
from vivavoce.runtime.shares import FairShares

MIB = 1024 * 1024
KEY = {"Authorization": "Bearer alice-secret-1"}
SMALL = (
    "/v1/audio/speech",
    "/v1/search",
    "/v1/vector_stores",
    "/v1/realtime/client_secrets",
    "/v1/audio/asr/file/submit",
)
"""Some that hold words only."""


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"alice": "alice-secret-1"}}}, profile="fake")) as started:
        yield started


def raw(port: int, head: str, *pieces: bytes) -> socket.socket:
    """A connection on which this much was sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=15)
    connection.sendall(head.replace("\n", "\r\n").encode())
    for piece in pieces:
        connection.sendall(piece)
    return connection


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """Status and all that comes until the server closes."""
    with connection:
        read = b""
        while piece := connection.recv(65536):
            read += piece
    return int(read.split(b" ", 2)[1]), read


async def test_nested_json_without_a_key_stops_nobody(locked: RunningServer) -> None:
    """It took 5 s."""
    body = b'{"a":' + b"[" * (32 * MIB) + b"}"

    async def attack() -> None:
        async with httpx.AsyncClient(timeout=30) as client:
            assert (await client.post(f"{locked.http}/v1/audio/speech", content=body)).status_code == 401

    await stops_nobody(locked, attack)


@pytest.mark.parametrize("path", SMALL)
def test_a_body_of_words_is_small(locked: RunningServer, path: str) -> None:
    answer = httpx.post(locked.http + path, headers=KEY, content=b" " * (256 * 1024 + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("length", [300 * 1024, 10**15])
def test_what_says_that_it_is_too_large_is_refused_at_once(locked: RunningServer, length: int) -> None:
    head = f"POST /v1/search HTTP/1.1\nHost: x\nAuthorization: Bearer alice-secret-1\nContent-Length: {length}\n\n"
    began = time.monotonic()
    connection = raw(locked.port, head)
    assert connection.recv(12) == b"HTTP/1.1 413"
    assert time.monotonic() - began < 5
    connection.close()


def test_what_does_not_say_how_large_it_is_is_counted(locked: RunningServer) -> None:
    head = "POST /v1/search HTTP/1.1\nHost: x\nAuthorization: Bearer alice-secret-1\nTransfer-Encoding: chunked\n\n"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    status, answer = answer_of(raw(locked.port, head, *[chunk] * 5, b"0\r\n\r\n"))
    assert status == 413
    assert b"request_too_large" in answer


def test_a_refused_body_is_not_waited_for(locked: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "LINGER_S", 0.2)
    head = "POST /v1/search HTTP/1.1\nHost: x\nContent-Length: 100000\n\n"
    status, answer = answer_of(raw(locked.port, head, b"{"))  # and nothing more: the server closes
    assert status == 401
    assert b"WWW-Authenticate: Bearer" in answer or b"www-authenticate: Bearer" in answer


def test_a_body_that_comes_too_slowly(locked: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "GRACE_S", 0.3)
    monkeypatch.setattr(incoming, "LINGER_S", 0.2)
    for path in ("/v1/search", "/v1/chat/completions", "/v1/files"):
        kind = "multipart/form-data; boundary=x" if path == "/v1/files" else "application/json"
        head = f"POST {path} HTTP/1.1\nHost: x\nAuthorization: Bearer alice-secret-1\nContent-Type: {kind}\n"
        status, answer = answer_of(
            raw(locked.port, head + "Content-Length: 1000\n\n", b"--x" if "files" in path else b"{")
        )
        assert (status, b"request_timeout" in answer) == (408, True), path


HOSTILE: dict[str, bytes] = {
    "empty arrays": b'{"model":"step-audio-2","messages":[' + b",".join([b"[]"] * (3 * MIB)) + b"]}",
    "numbers": b'{"model":"step-audio-2","messages":[' + b"1," * (4 * MIB) + b"1]}",
    "strings": b'{"model":"step-audio-2","messages":[' + b'"",' * (3 * MIB) + b'""]}',
    "escaped quotes": b'{"model":"' + rb"\"" * (4 * MIB) + b'","messages":[' + b"1," * 30_000 + b"1]}",
    "as many wrong ones as may be": b'{"messages":[' + b"1," * (MAX_VALUES_IN_LARGE_BODY - 10) + b"1]}",
    "half pairs": b'{"messages":"' + rb"\ud83d" * (MIB // 2) + b'"}',
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_no_json_stops_the_others(locked: RunningServer, kind: str) -> None:
    """It took up to 4 s."""

    async def attack() -> None:
        async with httpx.AsyncClient(timeout=30, headers=KEY) as client:
            answer = await client.post(f"{locked.http}/v1/chat/completions", content=HOSTILE[kind])
        assert answer.status_code in (400, 413)

    await stops_nobody(locked, attack)


def test_values_are_counted_outside_of_strings_only() -> None:
    readable(json.dumps({"text": '[{,\\"' * 10 * MAX_VALUES}).encode())
    readable(json.dumps(["\\" * 1000, '"[,' * MAX_VALUES] * 2).encode())
    readable(json.dumps("语" * 1_700_000).encode())
    for many in (
        b'"' + rb"\"" * 2_000_001 + b'"',
        b"[" * (MAX_VALUES + 1),
        json.dumps([[]] * MAX_VALUES).encode(),
        b'"' * 10 * MAX_VALUES + b"," * 10_000,
    ):
        with pytest.raises(ClientError) as refused:
            readable(many)
        assert refused.value.code == "request_too_large"


# ---- how much of them waits in memory


def bodies(held: FairShares, pieces: list[dict[str, Any]], owner: str, headers: list[tuple[bytes, bytes]]) -> list[int]:
    """The statuses that end one request each, whose application reads all of its body."""
    statuses: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        remember_principal(scope, Principal(owner))
        more = True
        while more:
            more = (await receive())["more_body"]
        statuses.append(held.held(owner))

    async def receive() -> Any:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        pass

    asyncio.run(BodyLimitMiddleware(application, held)({"type": "http", "headers": headers}, receive, send))
    return statuses


def test_what_waits_in_memory_is_counted_by_owner_and_given_back() -> None:
    held = FairShares(100, lambda: True)
    chunked = [(b"transfer-encoding", b"chunked")]
    piece = {"type": "http.request", "body": bytes(30), "more_body": True}
    assert bodies(held, [piece, {**piece, "more_body": False}], "alice", chunked) == [60]
    assert held.used == 0
    with pytest.raises(ClientError, match="others"):
        bodies(held, [piece, piece, {**piece, "more_body": False}], "alice", chunked)
    assert held.used == 0
    held.take("bob", 80)
    with pytest.raises(ClientError) as refused:
        bodies(held, [{**piece, "more_body": False}], "alice", chunked)
    assert refused.value.code == "server_busy"


def test_what_goes_to_the_disk_is_not_counted() -> None:
    held = FairShares(100)
    scope: dict[str, Any] = {"type": "http", "headers": [(b"content-length", b"1000")], "state": {}}
    remember_principal(scope, Principal("alice"))

    async def receive() -> Any:
        return {"type": "http.request", "body": bytes(500), "more_body": True}

    async def read() -> None:
        body = IncomingBody(scope, receive, receive, held)  # type: ignore[arg-type]  # it sends nothing
        body.goes_to_disk(beyond=40)
        await body.receive()
        await body.receive()
        assert held.used == 40
        body.finish()

    asyncio.run(read())
    assert held.used == 0
