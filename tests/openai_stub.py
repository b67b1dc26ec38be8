"""A scripted OpenAI-style server on a raw socket: the wire to the byte, every fault included.

It takes requests apart strictly (length, JSON, the fields OpenAI documents) and keeps them; a script says what it sends, when,
and whether it hangs up.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

CHAT_FIELDS = {
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed",
    "stop", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "tools", "tool_choice",
    "parallel_tool_calls", "response_format", "modalities", "audio", "reasoning_effort",
}  # fmt: skip
"""Of a chat completions request, as far as they are sent here; others are refused, as OpenAI does."""


@dataclass(frozen=True)
class Pause:
    """Nothing for so long."""

    s: float


@dataclass(frozen=True)
class HangUp:
    """The connection is closed at once."""


Step: TypeAlias = bytes | Pause | HangUp


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    closed_early: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


Script: TypeAlias = Callable[[Asked], Iterable[Step]]


@dataclass
class Stub:
    """The server: ``scripts`` answer one request each, the last one all further. ``models`` is what it lists."""

    port: int = 0
    scripts: list[Script] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "served", "object": "model"}])
    voices: Any = None
    extra_fields: set[str] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def posts(self, path: str = "/v1/chat/completions") -> list[Asked]:
        return [asked for asked in self.asked if asked.method == "POST" and asked.path == path]

    def answers(self, *scripts: Script) -> None:
        self.scripts = list(scripts)

    def steps(self, asked: Asked) -> Iterable[Step]:
        if asked.method == "GET":
            if asked.path == "/v1/models":
                return whole({"object": "list", "data": self.models})
            if asked.path == "/v1/audio/voices" and self.voices is not None:
                return whole(self.voices)
            return status(404, {"error": {"message": "no such page"}})
        if asked.path.endswith("/chat/completions"):
            unknown = asked.json.keys() - CHAT_FIELDS - self.extra_fields
            if unknown:
                name = sorted(unknown)[0]
                message = f"Unrecognized request argument supplied: {name}"
                return status(400, {"error": {"message": message, "type": "invalid_request_error", "param": None}})
        return (self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0])(asked)


@asynccontextmanager
async def stub(*scripts: Script) -> AsyncIterator[Stub]:
    """One on a free port, for the length of a ``with`` block."""
    served = Stub(scripts=list(scripts))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        try:
            while (asked := await _request(reader)) is not None:
                served.asked.append(asked)
                if not await _send(served.steps(asked), asked, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, path, headers, body)


async def _send(
    steps: Iterable[Step], asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Whether the connection is good for another request."""
    try:
        for step in steps:
            if isinstance(step, HangUp):
                writer.transport.abort()
                return False
            if isinstance(step, Pause):
                if await _hangs_up(reader, step.s):
                    asked.closed_early.set()
                    return False
            else:
                writer.write(step)
                await writer.drain()
    except ConnectionError:
        asked.closed_early.set()
        raise
    return True


async def _hangs_up(reader: asyncio.StreamReader, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return not await reader.read(1)
    except TimeoutError:
        return False


# ---- what is sent


def whole(body: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> list[Step]:
    """An answer that comes at once: JSON, or bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return [f"HTTP/1.1 {status_code} Whatever\r\n{head}\r\n".encode() + data]


def status(code: int, body: Any, **headers: str) -> list[Step]:
    """A refusal; ``retry_after="1"`` is the header Retry-After."""
    return whole(body, code, {name.replace("_", "-"): value for name, value in headers.items()})


def streamed(*parts: bytes | Step, content_type: str = "text/event-stream", end: bool = True) -> list[Step]:
    """A chunked answer of these parts."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    steps: list[Step] = [head]
    steps += [b"%x\r\n%s\r\n" % (len(part), part) if isinstance(part, bytes) else part for part in parts]
    return [*steps, b"0\r\n\r\n"] if end else steps


def event(data: Any) -> bytes:
    return f"data: {data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)}\n\n".encode()


def chunk(delta: Mapping[str, Any], finish: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **fields}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    return event({**head, "choices": [choice]})


def usage(prompt: int = 12, completion: int = 5, cached: int = 0) -> bytes:
    counted = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    details = {"prompt_tokens_details": {"cached_tokens": cached}}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    return event({**head, "choices": [], "usage": {**counted, **details}})


DONE = event("[DONE]")


def said(*words: str, finish: str = "stop") -> list[Step]:
    """A whole reply in words."""
    role = chunk({"role": "assistant", "content": ""})
    return streamed(role, *(chunk({"content": word}) for word in words), chunk({}, finish), usage(), DONE)


def calls(*parts: Mapping[str, Any], words: Sequence[str] = ()) -> list[Step]:
    """A reply of calls; each of ``parts`` is an entry of ``delta.tool_calls``."""
    text = (chunk({"content": word}) for word in words)
    deltas = (chunk({"tool_calls": [part]}) for part in parts)
    return streamed(
        chunk({"role": "assistant", "content": None}), *text, *deltas, chunk({}, "tool_calls"), usage(), DONE
    )


# ---- beside a server under test


@contextmanager
def running_stub(*scripts: Script) -> Iterator[Stub]:
    """As ``stub``, in a thread of its own, for tests that are no coroutines."""
    made: list[Stub] = []
    started, stopped = threading.Event(), threading.Event()

    async def run() -> None:
        async with stub(*scripts) as served:
            made.append(served)
            started.set()
            await asyncio.to_thread(stopped.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield made[0]
    finally:
        stopped.set()
        thread.join(10)
