"""Servers for other people's clients: with fake engines, plain and behind TLS, and with the real small models."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients.node_client import NodeClient, install
from running import RunningServer, running, wait_until_ready
from vivavoce.cli.serve import make_server
from vivavoce.config import load_config
from vivavoce.http.tls import tls_files


@pytest.fixture(scope="module")
def fake_server() -> Iterator[RunningServer]:
    with running(load_config(profile="fake")) as started:
        yield started


@dataclass(frozen=True)
class SecureServer:
    """A server with a self-signed certificate: its port, and the file clients trust it by."""

    port: int
    cert: Path


@pytest.fixture(scope="module")
def secure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    """Fake engines behind TLS, as `vivavoce serve --tls-self-signed` would run them."""
    home = tmp_path_factory.mktemp("home")
    config = load_config(
        {"port": 0, "log_level": "warning", "tls": {"self_signed": True}, "home": home}, profile="fake"
    )
    files = tls_files(config)
    assert files is not None
    server = make_server(config, files)
    listener = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until_ready(server.config.app)  # type: ignore[arg-type]
    try:
        yield SecureServer(listener.getsockname()[1], files.cert)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def node_client(pytestconfig: pytest.Config) -> NodeClient:
    """openai-node, installed once into pytest's cache."""
    return install(pytestconfig.cache.mkdir("node_client") if pytestconfig.cache else None)
