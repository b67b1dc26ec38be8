"""A server to talk to: the one that runs already, or one of our own for the duration."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from rich.console import Console
from rich.status import Status

from vivavoce.cli.data_folder import ensure_data_folder
from vivavoce.cli.options import EngineSet, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import http_url
from vivavoce.config import Config
from vivavoce.errors import VivavoceError
from vivavoce.preflight import require_references

_START_S = 300.0
_STOP_S = 15.0
_POLL_S = 0.2

_LOWEST_PORT = 20_000
_PORTS = 12_000
"""Linux gives away ports from 32768 on, other systems from 49152 on."""

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
"""Where a server that listens on every interface is reached from its own machine."""

CERTIFICATE = Path("tls", "cert.pem")
"""In the data folder: what ``--tls-self-signed`` makes."""


class ServerStartError(VivavoceError):
    """A server does not come up; the message ends with its last words, where we have started it."""


class Health(StrEnum):
    """What ``/health`` says. ``absent``: nobody listens, or somebody else."""

    READY = "ok"
    LOADING = "loading"
    FAILED = "failed"
    ABSENT = "absent"


# ---- where it is


def configured_address(config: Config, api_key: str | None = None) -> ServerAddress:
    """The server of this configuration, seen from its own machine. Without ``api_key`` the first configured one is shown."""
    host = _LOOPBACK.get(config.host, config.host)
    netloc = f"[{host}]:{config.port}" if ":" in host else f"{host}:{config.port}"
    keys = [key.get_secret_value() for key in config.auth.keys.values()]
    key = api_key or next(iter(keys), None)
    if not config.tls.enabled:
        return ServerAddress(f"ws://{netloc}", key)
    url = f"wss://{netloc}"
    return ServerAddress(url, key, _trust(url, config) if config.tls.cert is None else _pinned(config.tls.cert))


def _trust(url: str, config: Config) -> ssl.SSLContext | None:
    """Whom the system trusts, and the certificate made for this machine, if there is one; ``None`` without TLS."""
    if not http_url(url).startswith("https"):
        return None
    context = ssl.create_default_context()
    own = config.data_folder / CERTIFICATE
    if own.is_file():
        with suppress(ssl.SSLError):  # half written; a server makes it anew
            context.load_verify_locations(own)
    return context


def _pinned(certificate: Path) -> ssl.SSLContext | None:
    """Trust in a configured certificate and no other, by whatever name or address its server is reached."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with suppress(OSError):  # not there or not readable: then the system's trust has to do
        context.load_verify_locations(certificate)
        return context
    return None


async def check_health(server: ServerAddress) -> Health:
    """Ask a server on this machine. Whatever does not answer like Vivavoce counts as absent."""
    return await asyncio.to_thread(_check_health, server)


def _check_health(server: ServerAddress) -> Health:
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=server.tls))
    try:
        try:
            with opener.open(f"{http_url(server.url)}/health", timeout=2.0) as answer:
                body = json.load(answer)
        except HTTPError as error:
            with error:
                body = json.load(error)
        return Health(body["status"]) if body["name"] == "vivavoce" else Health.ABSENT
    except (URLError, OSError, ValueError, TypeError, KeyError):
        return Health.ABSENT


def free_port() -> int:
    """A port nobody listens on, and none of those systems give away: it is still free when the server takes it."""
    for _ in range(_PORTS):
        port = _LOWEST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerStartError("There is no free port.")


# ---- the one that runs


async def running_server(
    url: str | None, config: Config, console: Console, *, engines: EngineSet, api_key: str | None
) -> ServerAddress | None:
    """The server at ``url`` as it is given, else the configured one, if it runs; waits until it has loaded.

    Configured keys are shown to the configured server only.

    Fake engines are wished for by those who want a server of their own. Raises ``ServerStartError`` when the one that runs
    could not load its engines.
    """
    server = configured_address(config, api_key)
    if url is not None:
        is_own = http_url(url) == http_url(server.url)
        return replace(server, url=url) if is_own else ServerAddress(url, api_key, _trust(url, config))
    if engines is EngineSet.FAKE or config.port == 0:
        return None
    health = await check_health(server)
    if health is Health.LOADING:
        with console.status(f"Waiting until the server at {server.url} is ready …"):
            while health is Health.LOADING:
                await asyncio.sleep(_POLL_S)
                health = await check_health(server)
    if health is Health.FAILED:
        raise ServerStartError(f"The server at {server.url} could not load its engines; its log says why.")
    return server if health is Health.READY else None


@asynccontextmanager
async def server_at(
    url: str | None, console: Console, *, engines: EngineSet, config_file: Path | None, api_key: str | None = None
) -> AsyncIterator[ServerAddress]:
    """The server to talk to: the one that runs (see ``running_server``), else a child.

    Raises ``ConfigError``, ``ServerStartError`` and ``WeightsError``.
    """
    config = read_config(engines=engines, file=config_file)
    server = await running_server(url, config, console, engines=engines, api_key=api_key)
    if server is not None:
        yield server
        return
    async with child_server(console, engines=engines, config_file=config_file) as own:
        yield own


# ---- one of our own


@asynccontextmanager
async def child_server(
    console: Console, *, engines: EngineSet, config_file: Path | None
) -> AsyncIterator[ServerAddress]:
    """A server in a child process, ready to talk; stopped at the end, and by itself should this process be killed.

    It listens on this machine only and lets in who shows the key it was given. Raises ``ConfigError``,
    ``ServerStartError`` and ``WeightsError``.
    """
    key, port = secrets.token_urlsafe(), free_port()
    config = read_config({"host": "127.0.0.1", "port": port}, engines=engines, file=config_file)
    require_references(config)
    ensure_data_folder(config)
    ensure_weights(config, weights_of(config), console)
    if config.tls.enabled:  # made now, so that it can be trusted from the beginning
        from vivavoce.http.tls import tls_files

        tls_files(config)
    command = [sys.executable, "-m", "vivavoce", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--engines", engines.value, "--log-level", "warning", "--with-parent"]
    if config_file is not None:
        command += ["--config", str(config_file)]
    environment = {**os.environ, "VIVAVOCE_AUTH__KEYS__LOCAL": key, "VIVAVOCE_AUTH__OPEN": "false"}
    with tempfile.TemporaryFile() as log:
        # A session of its own: Ctrl-C is ours to handle. The end of its standard input tells it that we are gone.
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            server = configured_address(config, key)
            with console.status("Starting a server for this conversation …") as status:
                await _wait_until_ready(child, server, status, log)
            console.print(f"[dim]Started a server of its own on port {port}.[/]")
            yield server
        finally:
            await _stop(child)


async def _wait_until_ready(
    child: asyncio.subprocess.Process, server: ServerAddress, status: Status, log: BinaryIO
) -> None:
    started_s = time.monotonic()
    while (waited_s := time.monotonic() - started_s) < _START_S:
        if child.returncode is not None:
            raise ServerStartError(f"The server ended with exit code {child.returncode}:\n{_last_words(log)}")
        health = await check_health(server)
        if health is Health.READY:
            return
        activity = "loading the models" if health is Health.LOADING else "starting"
        status.update(f"Starting a server for this conversation: {activity}, {waited_s:.0f} s …")
        await asyncio.sleep(_POLL_S)
    raise ServerStartError(f"The server was not ready within {_START_S:.0f} s:\n{_last_words(log)}")


def _last_words(log: BinaryIO, lines: int = 20) -> str:
    log.seek(0)
    return "\n".join(log.read().decode("utf-8", errors="replace").splitlines()[-lines:])


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), _STOP_S)
    except TimeoutError:
        child.kill()
        await child.wait()
