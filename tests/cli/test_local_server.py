from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from vivavoce.cli.local_server import Health, ServerStartError, check_health, child_server, free_port, server_at
from vivavoce.cli.options import Engines
from vivavoce.client.connection import connect


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO())


@pytest.fixture(params=[200, 503, 404])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    status: int = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 500)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.server_port}", status
        server.shutdown()
        thread.join()


async def test_health_is_ready_loading_or_somebody_else(answering: tuple[str, int]) -> None:
    url, status = answering
    expected = {200: Health.READY, 503: Health.LOADING, 404: Health.ABSENT}
    assert await check_health(url) is expected[status]


async def test_nobody_listening_is_absent() -> None:
    assert await check_health(f"ws://127.0.0.1:{free_port()}") is Health.ABSENT


async def test_a_given_url_is_taken_as_it_is(console: Console) -> None:
    async with server_at("ws://elsewhere", console, engines=Engines.LOCAL, config_file=None) as url:
        assert url == "ws://elsewhere"


async def test_a_child_server_talks_and_is_gone_afterwards(console: Console) -> None:
    async with child_server(console, engines=Engines.FAKE, config_file=None) as url, connect(url) as client:
        assert await client.update_session({})
    assert await check_health(url) is Health.ABSENT


async def test_a_child_that_ends_at_once_leaves_its_last_words(
    console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho the models are broken >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(ServerStartError, match=r"(?s)exit code 3.*the models are broken"):
        async with child_server(console, engines=Engines.FAKE, config_file=None):
            pass
