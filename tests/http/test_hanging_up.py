"""Clients that hang up while their recording is being read: the work ends with them, and nothing is left behind."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from recordings import TWO_PARTS, loudness, wav
from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.scheduling import Ticket
from vivavoce.types import TranscribeOptions

WAV = wav(loudness(*TWO_PARTS))


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"limits": {"requests": 1}}, profile="fake")) as started:
        yield started


class Stuck:
    """A recogniser that does not come to an end from piece ``at`` on; counts the readings that were cancelled."""

    def __init__(self, server: RunningServer, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.entered = threading.Event()
        self.cancelled = self.asked = 0
        self._at = at
        recognition = server.core.engines.recognition
        self._piece = recognition.piece
        monkeypatch.setattr(recognition, "piece", self._stuck)

    async def _stuck(self, samples: Any, options: TranscribeOptions, ticket: Ticket) -> Any:
        self.asked += 1
        if self.asked <= self._at:
            return await self._piece(samples, options, ticket)
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1


def form(**fields: str) -> httpx.Request:
    path = fields.pop("path", "transcriptions")
    return httpx.Request(
        "POST",
        f"http://localhost/v1/audio/{path}",
        data={"model": "step-asr", **fields},
        files={"file": ("speech.wav", WAV)},
    )


def in_json() -> httpx.Request:
    heard = {"transcription": {"model": "stepaudio-2.5-asr"}, "format": {"type": "wav"}}
    body = {"audio": {"data": base64.b64encode(WAV).decode(), "input": heard}}
    return httpx.Request("POST", "http://localhost/v1/audio/asr/sse", json=body)


REQUESTS = {
    "transcription": form(),
    "stream": form(stream="true"),
    "translation": form(path="translations"),
    "sse": in_json(),
}


def sent(server: RunningServer, request: httpx.Request) -> socket.socket:
    """A connection on which the request was made."""
    request.read()
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = [f"POST {request.url.path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    connection.sendall("\r\n".join([*head, "", ""]).encode() + request.content)
    return connection


def free(server: RunningServer) -> bool:
    deadline = time.monotonic() + 10
    while server.core.request_slots.taken and time.monotonic() < deadline:
        time.sleep(0.01)
    return server.core.request_slots.taken == 0


def uploads() -> set[str]:
    """Deleted files this process (the server is a thread of it) holds."""
    held = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            target = str(descriptor.readlink())
            if "(deleted)" in target:
                held.add(target)
    return held


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("at", [0, 1], ids=["before", "amid"])
def test_hanging_up_stops_the_recogniser(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, kind: str, at: int
) -> None:
    stuck = Stuck(server, monkeypatch, at)
    before = uploads()
    with sent(server, REQUESTS[kind]) as connection:
        assert stuck.entered.wait(20)
        assert server.core.request_slots.taken == 1
        if at and kind in ("stream", "sse"):
            connection.settimeout(20)
            assert b"200 OK" in connection.recv(16)
    assert free(server)
    assert (stuck.asked, stuck.cancelled) == (at + 1, 1)
    assert uploads() <= before
    monkeypatch.undo()
    request = REQUESTS[kind]
    again = httpx.post(f"{server.http}{request.url.path}", content=request.content, headers=request.headers, timeout=20)
    assert again.status_code == 200, again.text
