"""Clients that do what clients do, and are cut off in the middle of it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import random
import socket
import struct
import wave
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

KEYS = {"anna": "soak-key-of-anna", "bert": "soak-key-of-bert"}
CUT_OFF = 0.35
"""How many are cut off in the middle."""

LONGEST_S = {"fake": 60.0, "local": 300.0}
"""A client that got no answer for so long has found a fault, by the server's engines."""

SILENT_S = 20.0
"""How long a client that stopped reading stays."""

REFUSED = frozenset({429, 503})
"""No fault: there was no place, which is what a server says that has more clients than places."""


@dataclass(slots=True)
class Counts:
    """What came of what the clients began."""

    started: int = 0
    done: int = 0
    cut_off: int = 0
    refused: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.started} begun: {self.done} done, {self.cut_off} cut off, {self.refused} refused for want of a place"


class RefusedError(Exception):
    """There was no place."""


def spoken(seconds: float) -> bytes:
    """PCM at 24 kHz that counts as speech, and a second of silence behind it."""
    tone = 0.4 * np.sin(np.arange(int(seconds * 24_000)) * 2 * np.pi * 180 / 24_000)
    return (np.concatenate([tone, np.zeros(24_000)]) * 32767).astype("<i2").tobytes()


def recording(seconds: float) -> bytes:
    """The same as a wav file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 24_000, 0, "NONE", ""))
        written.writeframes(spoken(seconds))
    return file.getvalue()


class Client:
    """One of them. ``socket`` is what it is connected by at the moment, if it is a conversation."""

    def __init__(self, port: int, key: str, counts: Counts, longest_s: float, pause_s: float) -> None:
        self._url = f"127.0.0.1:{port}"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._counts = counts
        self._longest_s = longest_s
        self._pause_s = pause_s
        self._socket: ClientConnection | None = None
        self._things: tuple[Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]], ...] = (
            self._voice, self._voice, self._words, self._chat, self._speech, self._transcription, self._file, self._document,
        )  # fmt: skip

    async def run(self) -> None:
        """One thing after the other, until it is cancelled."""
        while True:
            self._counts.started += 1
            async with httpx.AsyncClient(
                base_url=f"http://{self._url}", headers=self._headers, timeout=self._longest_s
            ) as http:
                await self._one(asyncio.create_task(random.choice(self._things)(http)))
            await asyncio.sleep(random.uniform(0, self._pause_s))

    async def _one(self, thing: asyncio.Task[None]) -> None:
        patience_s = random.expovariate(1.0) if random.random() < CUT_OFF else self._longest_s
        try:
            done, _ = await asyncio.wait({thing}, timeout=patience_s)
            if not done:
                await self._cut_off()
                if patience_s == self._longest_s:
                    self._counts.failures[f"{thing.get_coro().__qualname__}: no answer"] += 1  # type: ignore[union-attr]
                self._counts.cut_off += 1
                return
            thing.result()
            self._counts.done += 1
        except RefusedError:
            self._counts.refused += 1
        except (httpx.HTTPError, ConnectionClosed, OSError, AssertionError, KeyError) as error:
            self._counts.failures[f"{type(error).__name__}: {str(error)[:120]}"] += 1
        finally:
            thing.cancel()
            await asyncio.gather(thing, return_exceptions=True)
            self._socket = None

    async def _cut_off(self) -> None:
        """Reset, hang up without a word, or stop reading for a while: as it comes."""
        if self._socket is None:
            return  # what it does over HTTP is cancelled: the connection is closed in the middle
        transport = self._socket.transport
        match random.randrange(3):
            case 0:
                with suppress(OSError, AttributeError):
                    raw = transport.get_extra_info("socket")
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            case 1:
                transport.abort()
            case _:
                transport.pause_reading()
                await asyncio.sleep(random.uniform(0, SILENT_S))
                transport.abort()

    # ---- conversations

    @asynccontextmanager
    async def _connected(self, model: str) -> AsyncIterator[ClientConnection]:
        try:
            opened = connect(
                f"ws://{self._url}/v1/realtime?model={model}",
                additional_headers=self._headers,
                max_size=None,
                proxy=None,
            )
            async with opened as connection:
                self._socket = connection
                yield connection
        except InvalidStatus as refusal:
            if refusal.response.status_code in REFUSED:
                raise RefusedError from refusal
            raise AssertionError(f"a conversation was refused with {refusal.response.status_code}") from refusal

    async def _voice(self, _: httpx.AsyncClient) -> None:
        async with self._connected(random.choice(("step-audio-2", "gpt-realtime"))) as connection:
            for _turn in range(random.randint(1, 2)):
                speech = spoken(random.uniform(0.5, 2))
                for at in range(0, len(speech), 9600):
                    audio = base64.b64encode(speech[at : at + 9600]).decode()
                    await self._say(connection, type="input_audio_buffer.append", audio=audio)
                    await asyncio.sleep(0.05)
                await self._answered(connection)

    async def _words(self, _: httpx.AsyncClient) -> None:
        async with self._connected("step-audio-2") as connection:
            content = [{"type": "input_text", "text": "How many days are in a leap year?"}]
            item = {"type": "message", "role": "user", "content": content}
            await self._say(connection, type="conversation.item.create", item=item)
            await self._say(connection, type="response.create")
            await self._answered(connection)

    async def _say(self, connection: ClientConnection, **event: Any) -> None:
        await connection.send(json.dumps(event))

    async def _answered(self, connection: ClientConnection) -> None:
        async for message in connection:
            event = json.loads(message)
            if event["type"] == "error" and event["error"]["type"] == "server_error":
                raise AssertionError(f"an error of the server: {event['error']['message']}")
            if event["type"] == "response.done":
                return
        raise AssertionError("the conversation ended before the answer")

    # ---- requests

    async def _chat(self, http: httpx.AsyncClient) -> None:
        body = {
            "model": "step-audio-2",
            "messages": [{"role": "user", "content": "Say good morning."}],
            "modalities": ["text", "audio"],
            "audio": {"voice": "marin", "format": "pcm16"},
            "stream": True,
        }
        await self._streamed(http, "/v1/chat/completions", body)

    async def _speech(self, http: httpx.AsyncClient) -> None:
        body = {
            "model": "tts-1",
            "voice": "alloy",
            "input": "The museum opens at nine. " * 10,
            "response_format": "mp3",
        }
        await self._streamed(http, "/v1/audio/speech", body)

    async def _streamed(self, http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
        async with http.stream("POST", path, json=body) as answer:
            _require(answer)
            async for _ in answer.aiter_bytes():
                pass

    async def _transcription(self, http: httpx.AsyncClient) -> None:
        files = {"file": ("question.wav", recording(random.uniform(1, 4)))}
        _require(await http.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, files=files))

    async def _file(self, http: httpx.AsyncClient) -> None:
        file_id = await self._uploaded(
            http, "notes.txt", b"The library is open on Sundays.\n\n" * random.randint(1, 2000)
        )
        _require(await http.get(f"/v1/files/{file_id}/content"))
        _require(await http.delete(f"/v1/files/{file_id}"))

    async def _document(self, http: httpx.AsyncClient) -> None:
        file_id = await self._uploaded(
            http, "terms.md", b"# Returns\n\nGoods can be returned within thirty days.\n\n" * 20
        )
        store = _require(await http.post("/v1/vector_stores", json={"name": "soak"})).json()["id"]
        added = await http.post(f"/v1/vector_stores/{store}/files", json={"file_id": file_id})
        _require(added)
        while _require(await http.get(f"/v1/vector_stores/{store}/files/{file_id}")).json()["status"] == "in_progress":  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        _require(
            await http.post(f"/v1/vector_stores/{store}/search", json={"query": "How long can goods be returned?"})
        )
        _require(await http.delete(f"/v1/vector_stores/{store}"))
        _require(await http.delete(f"/v1/files/{file_id}"))

    async def _uploaded(self, http: httpx.AsyncClient, name: str, content: bytes) -> str:
        response = await http.post("/v1/files", data={"purpose": "assistants"}, files={"file": (name, content)})
        return str(_require(response).json()["id"])


def _require(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in REFUSED:
        raise RefusedError
    if answer.status_code >= 400:
        raise AssertionError(
            f"{answer.request.method} {answer.request.url.path[:40]} was answered {answer.status_code}"
        )
    return answer


class Crowd:
    """All clients, of both owners in turn."""

    def __init__(self, port: int, size: int, counts: Counts, engines: str, pause_s: float) -> None:
        keys = list(KEYS.values())
        self._clients = [
            Client(port, keys[number % len(keys)], counts, LONGEST_S[engines], pause_s) for number in range(size)
        ]
        self._port = port

    async def busy(self, seconds: float) -> None:
        """All at work; in the end all are cut off."""
        tasks = [asyncio.create_task(client.run()) for client in self._clients]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def tidy(self) -> None:
        """Delete what clients that were cut off have left: rows are to be as they were."""
        for key in KEYS.values():
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self._port}", headers={"Authorization": f"Bearer {key}"}, timeout=60
            ) as http:
                for kind in ("vector_stores", "files"):
                    while found := (await http.get(f"/v1/{kind}", params={"limit": 100})).json()["data"]:
                        for one in found:
                            await http.delete(f"/v1/{kind}/{one['id']}")
