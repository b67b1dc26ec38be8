"""A real server on a real port, in a thread of the test's process; and a client of a few lines."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from vivavoce.app import create_app
from vivavoce.client.address import ServerAddress
from vivavoce.config import Config
from vivavoce.config.keeping import StorageConfig
from vivavoce.engines.base import LanguageModel
from vivavoce.http.core import Core
from vivavoce.http.lifecycle import Failed, Lifecycle, Loading, Ready, Stage
from vivavoce.http.tls import tls_files
from vivavoce.runtime.slots import Slots


class RunningServer:
    """Address and inside of a running server."""

    def __init__(self, port: int, app: FastAPI) -> None:
        self.port = port
        self.app = app
        self.lifecycle: Lifecycle = app.state.lifecycle

    @property
    def core(self) -> Core:
        return self.lifecycle.core

    @contextmanager
    def at(self, stage: Stage) -> Iterator[None]:
        """The server at another stage for the length of a ``with`` block."""
        before, self.lifecycle._stage = self.lifecycle._stage, stage
        try:
            yield
        finally:
            self.lifecycle._stage = before

    @contextmanager
    def with_engines(self, **engines: Any) -> Iterator[None]:
        """Other engines for the length of a ``with`` block."""
        with self.at(Ready(replace(self.core, engines=replace(self.core.engines, **engines)))):
            yield

    @contextmanager
    def with_model(self, model: LanguageModel) -> Iterator[None]:
        """Another language model, for all tiers, for the length of a ``with`` block."""
        with self.with_engines(language_models={"large": model, "small": model}):
            yield

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> ServerAddress:
        return ServerAddress(self.ws)

    def all_seats_free(self, within_s: float = 5.0) -> bool:
        deadline = time.monotonic() + within_s
        while self.core.conversation_slots.taken and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.core.conversation_slots.taken == 0


@contextmanager
def holding(slots: Slots) -> Iterator[int]:
    """A seat for the length of a ``with`` block, taken from outside of the server's event loop."""
    slot = slots.take()
    try:
        yield slot
    finally:
        slots.give_back(slot)


@contextmanager
def running(config: Config, *, ready_within_s: float = 120.0, as_configured: bool = False) -> Iterator[RunningServer]:
    """A server with the store ``config`` names, or one in a temporary folder.

    On a free port and without TLS, unless ``as_configured``.
    """
    with (
        tempfile.TemporaryDirectory(prefix="vivavoce-test-") as folder,
        _running(_stored_in(config, Path(folder)), ready_within_s, as_configured) as server,
    ):
        yield server


def _stored_in(config: Config, folder: Path) -> Config:
    named = config.storage.model_dump(exclude_unset=True)
    storage = StorageConfig(**{"url": f"sqlite:///{folder / 'vivavoce.db'}", "blobs": str(folder / "blobs"), **named})
    return config.model_copy(update={"storage": storage})


@contextmanager
def _running(config: Config, ready_within_s: float, as_configured: bool) -> Iterator[RunningServer]:
    app = create_app(config)
    listener = socket.create_server(("127.0.0.1", config.port if as_configured else 0))
    tls = tls_files(config) if as_configured else None
    options = uvicorn.Config(
        app,
        log_config=None,
        ws="websockets-sansio",
        ws_max_size=24 * 1024 * 1024,
        ws_per_message_deflate=False,  # as served: else thousands of frames a client does not read fit into the kernel
        lifespan="on",
        ssl_certfile=tls.cert if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    server = uvicorn.Server(options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until_ready(app, ready_within_s)
    try:
        yield RunningServer(listener.getsockname()[1], app)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"


def wait_until_ready(app: FastAPI, within_s: float = 60.0) -> None:
    """Blocks until the server of another thread has loaded everything."""
    deadline = time.monotonic() + within_s
    while is_loading(app):
        assert time.monotonic() < deadline, "the engines did not load"
        time.sleep(0.02)


async def until_ready(app: FastAPI, within_s: float = 60.0) -> None:
    """Until the server of this thread has loaded everything."""
    async with asyncio.timeout(within_s):
        while is_loading(app):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def is_loading(app: FastAPI) -> bool:
    """Whether a server is still loading; fails when it cannot."""
    stage = app.state.lifecycle.stage
    assert not isinstance(stage, Failed), stage.reason
    return isinstance(stage, Loading)


def open_temporary_files() -> set[str]:
    """Deleted files this process (the server is a thread of it) holds."""
    held = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if "(deleted)" in target and "/tmp" in target:
            held.add(target)
    return held


def no_more_temporary_files(before: set[str], within_s: float = 10.0) -> bool:
    """Whether all files that were opened since ``before`` are closed, or will be in a moment."""
    deadline = time.monotonic() + within_s
    while not open_temporary_files() <= before and time.monotonic() < deadline:
        time.sleep(0.02)
    return open_temporary_files() <= before


class Talker:
    """A Realtime client for tests. ``patience_s`` is how long it waits for one event."""

    patience_s = 60.0

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **event: Any) -> None:
        await self.socket.send(json.dumps(event))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(self.patience_s):
            event: dict[str, Any] = json.loads(await self.socket.recv())
        return event

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """Events up to and with the first of this kind."""
        events = [await self.next()]
        while events[-1]["type"] != kind:
            events.append(await self.next())
        return events

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send(type="conversation.item.create", item={"type": "message", "role": "user", "content": content})

    async def append(self, pcm: bytes) -> None:
        await self.send(type="input_audio_buffer.append", audio=base64.b64encode(pcm).decode())


@asynccontextmanager
async def talking(server: RunningServer, query: str = "model=step-audio-2") -> AsyncIterator[Talker]:
    # a client whose queue is full of frames nobody reads does not see the answer to its close, and waits ten seconds for it
    async with connect(f"{server.ws}/v1/realtime?{query}", max_size=None, max_queue=None) as connection:
        yield Talker(connection)


def tone(milliseconds: int, level: float = 0.5) -> bytes:
    """PCM16 at 24 kHz."""
    n = milliseconds * 24
    return (np.sin(np.arange(n) / 10) * level * 32767).astype("<i2").tobytes()


def silence(milliseconds: int) -> bytes:
    """PCM16 at 24 kHz."""
    return bytes(milliseconds * 48)
