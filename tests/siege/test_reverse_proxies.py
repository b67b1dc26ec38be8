"""nginx and Caddy in front, configured as docs/security.md prints it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from net.certificates import certificate
from vivavoce.cli import serve
from vivavoce.cli.local_server import free_port
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.http.wrong_keys import MAX_WRONG_KEYS
from vivavoce.types import GenerationEvent

DOCS = Path(__file__).parents[2] / "docs" / "security.md"
KEY = "a-key-of-alice-1234"
HEADERS = {"Authorization": f"Bearer {KEY}"}
MIB = 1024 * 1024
PING_S = 0.5
WORD_S = 0.05


def printed(language: str) -> str:
    """The page's only block in this language."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return str(block)


@dataclass(frozen=True, slots=True)
class Behind:
    """A server behind a proxy: where the proxy listens, whom it shows, and the server's own port."""

    port: int
    trust: ssl.SSLContext
    server_port: int

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=f"https://localhost:{self.port}", verify=self.trust, headers=HEADERS, timeout=60)

    def live(self) -> int:
        """Conversations, as the server itself tells it."""
        health = httpx.get(f"http://127.0.0.1:{self.server_port}/health", headers=HEADERS)
        return int(health.json()["sessions"]["live"])


@pytest.fixture(scope="module")
def server_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("server")
    storage = {"url": f"sqlite:///{folder / 'vivavoce.db'}", "blobs": str(folder / "blobs")}
    config = load_config(
        {"storage": storage, "limits": {"drain_s": 0, "recording_minutes": 5}, "auth": {"keys": {"alice": KEY}}},
        profile="fake",
    )
    with pytest.MonkeyPatch.context() as patch, serve.listen("127.0.0.1", 0) as listening:
        patch.setattr(serve, "PING_S", PING_S)
        patch.setattr(FakeLanguageModel, "generate", slowly(FakeLanguageModel.generate))
        server = serve.make_server(config, None)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        port = int(listening.getsockname()[1])
        until(lambda: server.started and httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200, 60)
        yield port
        server.should_exit = True
        thread.join(30)


def slowly(generate: Callable[..., AsyncGenerator[GenerationEvent, None]]) -> Callable[..., object]:
    """A language model that takes a moment for each word."""

    async def slow(*given: Any) -> AsyncGenerator[GenerationEvent, None]:
        async with aclosing(generate(*given)) as events:
            async for event in events:
                yield event
                await asyncio.sleep(WORD_S)

    return slow


def until(true: Callable[[], object], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def nginx_files(folder: Path, port: int, server_port: int, files: tuple[Path, Path]) -> list[str]:
    """The configuration as printed, inside of what every installation has around it."""
    block = placed(printed("nginx"), server_port, files).replace("listen 443", f"listen 127.0.0.1:{port}")
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{'user root root;' if os.getuid() == 0 else ''} daemon off; pid {folder / 'pid'}; events {{}} "
        f"http {{ access_log off; {temporary} {block} }}"
    )
    return ["nginx", "-p", str(folder), "-e", str(folder / "log"), "-c", str(folder / "nginx.conf")]


def caddy_files(folder: Path, port: int, server_port: int, files: tuple[Path, Path]) -> list[str]:
    """As printed; but it listens on this port only, and has no door for administrators."""
    block = placed(printed("caddyfile"), server_port, files).replace("voice.example.org", f"https://localhost:{port}")
    (folder / "Caddyfile").write_text(block.replace("{", "{\n admin off\n auto_https disable_redirects\n", 1))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def placed(block: str, server_port: int, files: tuple[Path, Path]) -> str:
    for name, value in (
        ("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
        ("/etc/ssl/voice/fullchain.pem", str(files[0])),
        ("/etc/ssl/voice/privkey.pem", str(files[1])),
    ):
        assert name in block
        block = block.replace(name, value)
    return block


@contextmanager
def proxied(program: str, folder: Path, server_port: int) -> Iterator[Behind]:
    files = certificate(folder, "localhost")
    trust = ssl.create_default_context(cafile=str(files[0]))
    port = free_port()
    command = {"nginx": nginx_files, "caddy": caddy_files}[program](folder, port, server_port, files)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        )
    try:
        until(lambda: process.poll() is not None or reachable(port), 20)
        assert process.poll() is None, (folder / "output").read_text()
        yield Behind(port, trust, server_port)
    finally:
        process.terminate()
        process.wait(10)


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server_port: int
) -> Iterator[Behind]:
    if shutil.which(request.param, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin") is None:
        pytest.skip(f"{request.param} is not installed (Debian: apt-get install nginx-light caddy)")
    with proxied(request.param, tmp_path_factory.mktemp(request.param), server_port) as one:
        yield one


def test_requests_and_refusals_pass(behind: Behind) -> None:
    with behind.http() as http:
        assert http.get("/v1/models").status_code == 200
        refused = http.get("/v1/models", headers={"Authorization": "Bearer wrong-key-of-nobody"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")


def test_events_leave_as_they_come(behind: Behind) -> None:
    """Word by word; a proxy that gathers sends all at once."""
    body = {
        "model": "step-audio-2",
        "messages": [{"role": "user", "content": "One two three four five six seven eight."}],
        "stream": True,
    }
    with behind.http() as http, http.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.status_code == 200
        arrived = [time.monotonic() for line in answer.iter_lines() if line.startswith("data:")]
    assert len(arrived) > 5
    assert arrived[-1] - arrived[0] > 5 * WORD_S


async def test_a_browser_talks(behind: Behind) -> None:
    """A page of the site opens a WebSocket; it sends its origin, and its secret as a sub-protocol."""
    opened = connect(
        f"wss://localhost:{behind.port}/v1/realtime?model=gpt-realtime",
        ssl=behind.trust,
        origin="https://voice.example.org",  # type: ignore[arg-type]
        subprotocols=["realtime", f"openai-insecure-api-key.{KEY}"],  # type: ignore[list-item]
        proxy=None,
    )
    async with opened as connection, asyncio.timeout(20):
        assert json.loads(await connection.recv())["type"] == "session.created"
        content = [{"type": "input_text", "text": "Good morning."}]
        item = {"type": "message", "role": "user", "content": content}
        await connection.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await connection.send(json.dumps({"type": "response.create"}))
        async for message in connection:
            if json.loads(message)["type"] == "response.done":
                break
        await asyncio.sleep(4 * PING_S)  # pings and their answers pass, too
        await connection.ping()


def test_an_upload_of_100_megabytes(behind: Behind) -> None:
    size = 100 * 1000 * 1000 - 1000
    rate, channels, width = 192_000, 8, 4
    shape = struct.pack("<HHIIHH", 3, channels, rate, rate * channels * width, channels * width, 8 * width)
    head = struct.pack("<4sI4s4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", len(shape)) + shape
    head += struct.pack("<4sI", b"data", size)
    form = {"file": ("long.wav", head + bytes(size))}
    with behind.http() as http:
        answer = http.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, files=form)
        assert answer.status_code == 200, answer.text
        large = http.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, files={"file": bytes(102 * MIB)})
        assert large.status_code == 413


def test_clients_that_vanish_are_let_go(behind: Behind) -> None:
    """One answers no ping any more, one is reset: neither keeps its place."""
    until(lambda: behind.live() == 0, 20)
    silent = by_hand(behind)
    gone = by_hand(behind)
    until(lambda: behind.live() == 2, 20)
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    gone.close()
    until(lambda: behind.live() <= 1, 20)
    until(lambda: behind.live() == 0, 20)  # nothing was read of the silent one, nor said by it
    silent.close()


def by_hand(behind: Behind) -> ssl.SSLSocket:
    """A WebSocket whose client does nothing by itself: it does not even read."""
    connection = behind.trust.wrap_socket(
        socket.create_connection(("127.0.0.1", behind.port)), server_hostname="localhost"
    )
    connection.sendall(
        b"GET /v1/realtime?model=step-audio-2 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Authorization: Bearer " + KEY.encode() + b"\r\n\r\n"
    )
    assert b" 101 " in connection.recv(4096)
    return connection


def test_what_visitors_say_of_their_address_is_not_believed(behind: Behind) -> None:
    """Or each wrong key could come from another address. They are this machine, whose wrong keys are not counted."""
    with behind.http() as http:
        statuses = []
        for number in range(MAX_WRONG_KEYS + 2):
            claimed = {"Authorization": f"Bearer wrong-key-{number}", "X-Forwarded-For": "203.0.113.7"}
            statuses.append(http.get("/v1/models", headers=claimed).status_code)
    assert set(statuses) == {401}


def test_the_visitors_address_is_taken_from_trusted_proxies_only(server_port: int) -> None:
    """The server believes this machine by default: as a proxy, it speaks for somebody else, who has tried too often."""
    with httpx.Client(base_url=f"http://127.0.0.1:{server_port}") as proxy:
        statuses = []
        for number in range(MAX_WRONG_KEYS + 2):
            told = {"Authorization": f"Bearer wrong-key-{number}", "X-Forwarded-For": "203.0.113.9"}
            statuses.append(proxy.get("/v1/models", headers=told).status_code)
        other = proxy.get(
            "/v1/models", headers={"Authorization": "Bearer wrong-key", "X-Forwarded-For": "203.0.113.10"}
        )
    assert statuses[-1] == 429
    assert other.status_code == 401
