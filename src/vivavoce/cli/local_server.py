"""A server to talk to: the one that runs already, or one of our own for the duration."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from rich.console import Console
from rich.status import Status

from vivavoce.cli.options import DEFAULT_URL, Engines, read_config
from vivavoce.cli.weights import ensure_weights, server_weights
from vivavoce.client.connection import health_url
from vivavoce.errors import VivavoceError

_START_S = 300.0
_STOP_S = 15.0
_POLL_S = 0.2


class ServerStartError(VivavoceError):
    """Our own server did not come up; the message ends with its last words."""


class Health(StrEnum):
    """What ``/health`` says."""

    READY = "ready"
    LOADING = "loading"
    ABSENT = "absent"


async def check_health(base_url: str) -> Health:
    """Ask a server on this machine. Whatever does not answer like Vivavoce counts as absent."""
    return await asyncio.to_thread(_check_health, health_url(base_url))


def _check_health(url: str) -> Health:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=2.0):
            return Health.READY
    except HTTPError as error:
        with error:
            return Health.LOADING if error.code == 503 else Health.ABSENT
    except (URLError, OSError):
        return Health.ABSENT


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def server_at(
    url: str | None, console: Console, *, engines: Engines, config_file: Path | None
) -> AsyncIterator[str]:
    """The URL to talk to: ``url`` as given, else the default one if it answers, else a child server's.

    Raises ``ServerStartError`` and ``WeightsError``.
    """
    if url is not None:
        yield url
        return
    health = await check_health(DEFAULT_URL)
    if health is Health.ABSENT or engines is Engines.FAKE:
        async with child_server(console, engines=engines, config_file=config_file) as own_url:
            yield own_url
        return
    if health is Health.LOADING:
        with console.status(f"Waiting until the server at {DEFAULT_URL} is ready …"):
            await _wait_while_loading(DEFAULT_URL)
    yield DEFAULT_URL


@asynccontextmanager
async def child_server(console: Console, *, engines: Engines, config_file: Path | None) -> AsyncIterator[str]:
    """A server in a child process, ready to talk; stopped at the end. Raises ``ServerStartError``, ``WeightsError``."""
    config = read_config(engines=engines, file=config_file)
    ensure_weights(config, server_weights(config), console)
    port = free_port()
    command = [sys.executable, "-m", "vivavoce", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--engines", engines.value, "--log-level", "warning"]
    if config_file is not None:
        command += ["--config", str(config_file)]
    with tempfile.TemporaryFile() as log:
        # A session of its own: Ctrl-C is ours to handle, the child is stopped below.
        child = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, start_new_session=True)
        try:
            with console.status("Starting a server for this conversation …") as status:
                await _wait_until_ready(child, f"ws://127.0.0.1:{port}", status, log)
            console.print(f"[dim]Started a server of its own on port {port}.[/]")
            yield f"ws://127.0.0.1:{port}"
        finally:
            await _stop(child)


async def _wait_while_loading(url: str) -> None:
    while True:
        if await check_health(url) is not Health.LOADING:
            return
        await asyncio.sleep(_POLL_S)


async def _wait_until_ready(child: asyncio.subprocess.Process, url: str, status: Status, log: BinaryIO) -> None:
    started_s = time.monotonic()
    while (waited_s := time.monotonic() - started_s) < _START_S:
        if child.returncode is not None:
            raise ServerStartError(f"The server ended with exit code {child.returncode}:\n{_last_words(log)}")
        health = await check_health(url)
        if health is Health.READY:
            return
        what = "loading the models" if health is Health.LOADING else "starting"
        status.update(f"Starting a server for this conversation: {what}, {waited_s:.0f} s …")
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
