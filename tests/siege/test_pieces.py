"""What is sent in pieces of a byte costs its parsers a thousand times more than its bytes; others are served all the same."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from loops import stops_nobody
from running import RunningServer, wait_until_ready
from vivavoce.cli.serve import listen, make_server
from vivavoce.config import load_config

KEY = "alice-secret-1"
LASTS_S = 1.0
BURST_BYTES = 256 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """As ``vivavoce serve`` runs it."""
    folder = tmp_path_factory.mktemp("store")
    storage = {"url": f"sqlite:///{folder / 'vivavoce.db'}", "blobs": str(folder / "blobs")}
    settings = {"storage": storage, "limits": {"drain_s": 0}, "auth": {"keys": {"alice": KEY}}}
    with listen("127.0.0.1", 0) as listening:
        served = make_server(load_config(settings, profile="fake"), None)
        thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        running = RunningServer(listening.getsockname()[1], served.config.app)  # type: ignore[arg-type]
        wait_until_ready(running.app)
        yield running
        served.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def flood(server: RunningServer, head: str, piece: bytes) -> None:
    """Send as many of these pieces behind this head as the server takes, and read what it says to them."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LASTS_S) as client:
        client.sendall(head.encode() + b"\r\n")
        if "Upgrade" in head:
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 101 ")
        reading = threading.Thread(target=read_all, args=(client,), daemon=True)
        reading.start()
        burst, over = piece * (BURST_BYTES // len(piece)), time.monotonic() + LASTS_S
        try:
            while time.monotonic() < over:
                client.sendall(burst)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it takes no more for now, or has closed the connection
    reading.join(10)


def read_all(client: socket.socket) -> None:
    try:
        while client.recv(1 << 20):
            pass
    except OSError:
        pass


def head(method: str, path: str, *more: str, key: str | None = KEY) -> str:
    access = [f"Authorization: Bearer {key}"] if key else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *access, *more]) + "\r\n"


def upgrade(key: str | None) -> str:
    return head(
        "GET",
        "/v1/realtime?model=step-audio-2",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: " + base64.b64encode(b"0123456789abcdef").decode(),
        key=key,
    )


@pytest.mark.parametrize("key", [None, KEY])
async def test_chunks(server: RunningServer, key: str | None) -> None:
    chunked = head(
        "POST", "/v1/files", "Transfer-Encoding: chunked", "Content-Type: multipart/form-data; boundary=x", key=key
    )
    await stops_nobody(server, lambda: asyncio.to_thread(flood, server, chunked, b"1\r\n \r\n"))


@pytest.mark.parametrize(
    "frame",
    [b"\x81\x81\0\0\0\0{", b"\x82\x81\0\0\0\0x", b"\x89\x80\0\0\0\0", b'\x81\x8c\0\0\0\0{"type":"x"}'],
    ids=["text", "binary", "ping", "event"],
)
async def test_frames(server: RunningServer, frame: bytes) -> None:
    await stops_nobody(server, lambda: asyncio.to_thread(flood, server, upgrade(KEY), frame))
    assert server.all_seats_free()


def test_a_head_of_many_small_lines(server: RunningServer) -> None:
    """However it arrives: all at once, too."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall((head("GET", "/health") + "a:\r\n" * 60_000 + "\r\n").encode())
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


async def test_the_first_who_ask_for_the_description_of_the_api(server: RunningServer) -> None:
    """Before, half a second in which nobody was served, for whoever asked, without a key."""

    async def attack() -> None:
        server.app.openapi_schema = None
        for name in ("api_description", "api_page"):
            setattr(server.app.state, name, None)
        async with httpx.AsyncClient(base_url=server.http, timeout=60) as client:
            answers = await asyncio.gather(*(client.get(path) for path in ("/openapi.json", "/docs") * 3))
        assert {answer.status_code for answer in answers} == {200}

    await stops_nobody(server, attack)


@pytest.mark.parametrize("more", ["Sec-WebSocket-Protocol: " + "a," * 8000 + "b", "\r\n".join(["a: b"] * 500)])
@pytest.mark.parametrize("key", [None, KEY])
def test_an_upgrade_with_a_head_that_is_too_large(server: RunningServer, key: str | None, more: str) -> None:
    """Before, it was never answered, and held its connection for as long as the client liked."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall((upgrade(key) + more + "\r\n\r\n").encode())
        assert client.recv(100).startswith(b"HTTP/1.1 431 ")
        read_all(client)


async def test_a_body_that_turns_out_to_be_none_while_it_is_answered(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Before, a traceback in the log for whoever liked to write one: the answer had begun, and a second one was sent."""
    said = head("POST", "/v1/files", "Transfer-Encoding: chunked", key=None)

    def attack() -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(said.encode() + b"\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 401 ")
            client.sendall(b"no chunk\r\n")
            read_all(client)

    await asyncio.to_thread(attack)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
