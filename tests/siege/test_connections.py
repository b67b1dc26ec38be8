"""Connections that say nothing, or half of something; and more of them than there may be."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.client import connect

from vivavoce.cli.serve import listen, make_server
from vivavoce.config import Config, load_config
from vivavoce.http import timeouts
from vivavoce.http.tcp_listener import BoundedListener, ConnectionLimiter
from vivavoce.http.tls import tls_files

MAX_CONNECTIONS = 10


@contextmanager
def serving(config: Config, connections: ConnectionLimiter) -> Iterator[BoundedListener]:
    """A server as ``vivavoce serve`` runs it, at the socket this yields."""
    tls = tls_files(config)
    with listen("127.0.0.1", 0) as listening:
        listening.connections = connections
        server = make_server(config, tls)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        at = f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}/health"
        while not server.started or httpx.get(at, verify=False).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield listening
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoundedListener]:
    folder = tmp_path_factory.mktemp("store")
    storage = {"url": f"sqlite:///{folder / 'vivavoce.db'}", "blobs": str(folder / "blobs")}
    with serving(
        load_config({"storage": storage, "limits": {"drain_s": 0}}, profile="fake"),
        ConnectionLimiter(MAX_CONNECTIONS, 1),
    ) as one:
        yield one


def opened(listening: BoundedListener, *pieces: bytes) -> socket.socket:
    connection = socket.create_connection(listening.getsockname(), timeout=10)
    for piece in pieces:
        connection.sendall(piece)
    return connection


def closed_within(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def all_gone(listening: BoundedListener) -> bool:
    deadline = time.monotonic() + 10
    while (connections := listening.connections) and connections.open and time.monotonic() < deadline:
        time.sleep(0.01)
    return connections is not None and connections.open == 0


@pytest.mark.parametrize(
    "said", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\n", b"GET /realtime HTTP/1.1\r\nUpgrade: websocket\r\n"]
)
def test_half_a_head_is_not_waited_for(
    listening: BoundedListener, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "HEAD_S", 0.3)
    with opened(listening, said) as connection:
        assert closed_within(connection, 5)
    assert all_gone(listening)


def test_nor_is_one_that_comes_byte_by_byte(listening: BoundedListener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "HEAD_S", 0.4)
    began = time.monotonic()
    with opened(listening) as connection, suppress(ConnectionError):
        for byte in b"GET /health HTTP/1.1\r\n" + b"X-A: b\r\n" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)
    assert time.monotonic() - began < 5


def test_a_second_request_has_as_long(listening: BoundedListener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "HEAD_S", 0.3)
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
    with opened(listening, head + b"\r\n") as connection:
        assert connection.recv(65536)
        connection.sendall(head)
        assert closed_within(connection, 5)


def test_no_more_connections_than_there_may_be(listening: BoundedListener) -> None:
    """Sockets that say nothing and WebSockets count alike, and give their place back."""
    at = f"127.0.0.1:{listening.getsockname()[1]}"
    assert all_gone(listening)
    with ExitStack() as stack:
        stack.enter_context(connect(f"ws://{at}/v1/realtime?model=step-audio-2"))
        for _ in range(MAX_CONNECTIONS - 1):
            stack.enter_context(opened(listening))
        for _ in range(3 * MAX_CONNECTIONS):
            with opened(listening) as refused:
                assert closed_within(refused, 5)
    assert all_gone(listening)
    assert httpx.get(f"http://{at}/").status_code in (200, 503)
    assert all_gone(listening)


def test_a_handshake_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With TLS the connection is nobody's as long as its handshake lasts, and counts all the same."""
    monkeypatch.setattr(timeouts, "HEAD_S", 0.5)
    storage = {"url": f"sqlite:///{tmp_path / 'vivavoce.db'}", "blobs": str(tmp_path / "blobs")}
    settings = {"storage": storage, "tls": {"self_signed": True}, "home": tmp_path, "limits": {"drain_s": 0}}
    with serving(load_config(settings, profile="fake"), ConnectionLimiter(MAX_CONNECTIONS, 1)) as locked:
        for said in (b"", b"\x16\x03\x01\x02\x00\x01"):
            with opened(locked, said) as connection:
                assert closed_within(connection, 10)
        assert all_gone(locked)


def test_a_client_that_does_not_read_its_answer(listening: BoundedListener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "STALLED_S", 0.3)
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with opened(listening, ask * 100):
        assert all_gone(listening)


@given(st.lists(st.tuples(st.sampled_from(["127.0.0.1", "203.0.113.5", "203.0.113.6", "::1"]), st.booleans())))
def test_connections_are_counted_by_address(steps: list[tuple[str, bool]]) -> None:
    connections, held = ConnectionLimiter(6, 2), list[str]()
    for address, comes in steps:
        if comes:
            local = address in ("127.0.0.1", "::1")
            room = len(held) < 6 and (local or held.count(address) < 2)
            assert connections.admit(address) == room
            held += [address] * room
        elif address in held:
            held.remove(address)
            connections.release(address)
        assert connections.open == len(held)
        assert set(connections._by_address) == set(held)


def test_those_of_a_proxy_count_only_in_all() -> None:
    connections = ConnectionLimiter(6, 2, ["10.0.0.0/8"])
    assert all(connections.admit(address) for address in ("10.0.0.7", "10.0.0.7", "10.0.0.7", "::ffff:10.0.0.7"))
    assert [connections.admit("::ffff:11.0.0.7") for _ in range(3)] == [True, True, False]


def test_as_many_files_as_the_system_allows() -> None:
    program = (
        "import resource; from vivavoce.http.tcp_listener import raise_file_limit;"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE); resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard));"
        "assert raise_file_limit() == hard; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(hard)] * 2
