"""A scripted hosted Realtime API, in threads: OpenAI's (GA, beta) and StepFun's shapes, and whatever can go wrong with one."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from running import tone

Shape = Literal["ga", "beta", "stepfun"]
Json = dict[str, Any]

GA = {
    "response.audio.": "response.output_audio.",
    "response.audio_transcript.": "response.output_audio_transcript.",
    "response.text.": "response.output_text.",
}


@dataclass(frozen=True)
class Say:
    """Words and so much sound for them."""

    words: str
    ms: int = 100


@dataclass(frozen=True)
class Think:
    words: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: str
    id: str = "call_1"


@dataclass(frozen=True)
class Raw:
    """A frame as it is."""

    frame: str


@dataclass(frozen=True)
class Fault:
    """An ``error`` event."""

    code: str
    type: str = "invalid_request_error"
    message: str = "wss://secret.example says key sk-123 is at fault"


@dataclass(frozen=True)
class Fail:
    """The response fails with this code."""

    code: str


@dataclass(frozen=True)
class Incomplete:
    reason: str


class Stall:
    """Nothing more is said of the response."""


class HangUp:
    """The connection is closed."""


@dataclass
class Upstream:
    """``scripts``: of the responses to come; without one, the user is told something. ``refusals``: of the connections to come.
    ``refused_events``: types of client events that get an error. ``hangs_up``: at once."""

    shape: Shape
    port: int = 0
    scripts: deque[Sequence[Any]] = field(default_factory=deque)
    refusals: deque[tuple[HTTPStatus, dict[str, str]]] = field(default_factory=deque)
    refused_events: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    heard_words: str = "how far is the moon"
    received: list[Json] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: list[Line] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def items(self) -> list[Json]:
        """Of the newest connection."""
        return self.connections[-1].items

    def events(self, kind: str) -> list[Json]:
        return [event for event in self.received if event["type"] == kind]

    def reset(self) -> None:
        self.scripts.clear()
        self.refusals.clear()
        self.refused_events.clear()
        self.hangs_up = False
        self.received.clear()
        self.requests.clear()

    def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.path.endswith("/models"):
            return socket.respond(HTTPStatus.OK, "{}")
        self.requests.append(request)
        if not self.refusals:
            return None
        status, headers = self.refusals.popleft()
        response = socket.respond(status, json.dumps({"error": {"message": f"no: {self.url} sk-123"}}))
        response.headers.update(headers)
        return response

    def converse(self, socket: ServerConnection) -> None:
        line = Line(self, socket)
        self.connections.append(line)
        with suppress(ConnectionClosed):
            line.run()


class Line:
    def __init__(self, upstream: Upstream, socket: ServerConnection) -> None:
        self.upstream, self.socket = upstream, socket
        self.items: list[Json] = []
        self.session: Json = {}
        self.audio = b""
        self.open: str | None = None

    def emit(self, kind: str, **fields: Any) -> None:
        if self.upstream.shape == "ga":
            for beta, ga in GA.items():
                kind = kind.replace(beta, ga)
            if kind == "conversation.item.created":
                kind = "conversation.item.added"
        self.socket.send(json.dumps({"event_id": f"event_{uuid.uuid4().hex}", "type": kind, **fields}))

    def run(self) -> None:
        if self.upstream.hangs_up:
            return
        self.emit("session.created", session={"id": "sess_1"})
        for frame in self.socket:
            event = json.loads(frame)
            self.upstream.received.append(event)
            if code := self.upstream.refused_events.get(event["type"]):
                error = {
                    "type": "invalid_request_error",
                    "code": code,
                    "message": "no",
                    "event_id": event.get("event_id"),
                }
                self.emit("error", error=error)
            else:
                self.take(event)

    def take(self, event: Json) -> None:
        match event["type"]:
            case "session.update":
                self.session |= event["session"]
                self.emit("session.updated", session=self.session)
            case "input_audio_buffer.append":
                self.audio += base64.b64decode(event["audio"])
            case "input_audio_buffer.clear":
                self.audio = b""
                self.emit("input_audio_buffer.cleared")
            case "input_audio_buffer.commit":
                self.commit()
            case "conversation.item.create":
                self.create(event)
            case "conversation.item.delete":
                self.items = [item for item in self.items if item["id"] != event["item_id"]]
                self.emit("conversation.item.deleted", item_id=event["item_id"])
            case "conversation.item.truncate":
                self.emit("conversation.item.truncated", **{key: event[key] for key in ("item_id", "audio_end_ms")})
            case "response.create":
                self.respond()
            case "response.cancel" if self.open is not None:
                self.done("cancelled")

    def commit(self) -> None:
        item = {"id": uuid.uuid4().hex, "type": "message", "role": "user", "audio_ms": len(self.audio) // 48}
        self.audio = b""
        self.items.append(item)
        self.emit("input_audio_buffer.committed", item_id=item["id"], previous_item_id=None)
        self.emit("conversation.item.created", item=item)
        words = self.upstream.heard_words
        ids = {"item_id": item["id"], "content_index": 0}
        if self.upstream.shape == "stepfun":
            self.emit("conversation.item.input_audio_transcription.delta", **ids, delta=words[:3])
            self.emit("conversation.item.input_audio_transcription.delta", **ids, delta=words)
        self.emit("conversation.item.input_audio_transcription.completed", **ids, transcript=words)

    def create(self, event: Json) -> None:
        item = {**event["item"], "id": uuid.uuid4().hex}
        previous = event.get("previous_item_id")
        if previous is None:
            self.items.append(item)
        else:
            ids = [item["id"] for item in self.items]
            self.items.insert(0 if previous == "root" else ids.index(previous) + 1, item)
        self.emit("conversation.item.created", item={key: item.get(key) for key in ("id", "type", "role")})

    def respond(self) -> None:
        steps = self.upstream.scripts.popleft() if self.upstream.scripts else (Say("It is far."),)
        self.open, self.output = f"resp_{uuid.uuid4().hex}", 0
        self.emit("response.created", response={"id": self.open, "status": "in_progress", "output": []})
        message: Json | None = None
        for step in steps:
            match step:
                case Say(words=words, ms=ms):
                    message = message or self.message()
                    self.say(message, words, ms)
                case Think(words=words):
                    message = message or self.message()
                    self.emit("response.thinking.delta", **self.where(message), delta=words)
                    self.emit("response.thinking.done", **self.where(message), thinking=words)
                case Call():
                    self.call(step)
                case Raw(frame=frame):
                    self.socket.send(frame)
                case Fault(code=code, type=kind, message=text):
                    self.emit("error", error={"type": kind, "code": code, "message": text})
                case Fail(code=code):
                    self.done("failed", {"type": "failed", "error": {"type": "server_error", "code": code}})
                    return
                case Incomplete(reason=reason):
                    self.done("incomplete", {"type": "incomplete", "reason": reason})
                    return
                case Stall():
                    return
                case HangUp():
                    self.socket.close(1011)
                    return
        if message is not None and self.session.get("modalities") != ["text"]:
            self.emit("response.audio.done", **self.where(message))
        self.done("completed")

    def message(self) -> Json:
        item = {"id": uuid.uuid4().hex, "type": "message", "role": "assistant", "content": []}
        self.items.append(item)
        self.emit("response.output_item.added", response_id=self.open, output_index=self.output, item=item)
        self.emit("conversation.item.created", item=item)
        self.output += 1
        return item

    def where(self, item: Json) -> Json:
        return {"response_id": self.open, "item_id": item["id"], "output_index": 0, "content_index": 0}

    def say(self, item: Json, words: str, ms: int) -> None:
        item["words"] = item.get("words", "") + words
        kinds = self.session.get("output_modalities") or self.session.get("modalities")
        if kinds == ["text"]:
            self.emit("response.text.delta", **self.where(item), delta=words)
            return
        self.emit("response.audio_transcript.delta", **self.where(item), delta=words)
        audio = tone(ms)
        for at in range(0, len(audio), 9600):
            self.emit(
                "response.audio.delta", **self.where(item), delta=base64.b64encode(audio[at : at + 9600]).decode()
            )

    def call(self, call: Call) -> None:
        item = {"id": uuid.uuid4().hex, "type": "function_call", "call_id": call.id, "name": call.name, "arguments": ""}
        self.items.append(item)
        self.emit("conversation.item.created", item=item)
        self.emit("response.output_item.added", response_id=self.open, output_index=self.output, item=item)
        where = {"response_id": self.open, "item_id": item["id"], "output_index": self.output, "call_id": call.id}
        half = len(call.arguments) // 2
        name = "arguments" if self.upstream.shape == "stepfun" else "delta"
        for piece in (call.arguments[:half], call.arguments[half:]):
            self.emit("response.function_call_arguments.delta", **where, **{name: piece})
        self.emit("response.function_call_arguments.done", **where, arguments=call.arguments)
        whole = {**item, "arguments": call.arguments}
        self.emit("response.output_item.done", response_id=self.open, output_index=self.output, item=whole)
        self.output += 1

    def done(self, status: str, details: Json | None = None) -> None:
        usage = {"input_tokens": 12, "output_tokens": 7, "input_token_details": {"cached_tokens": 4}}
        response: Json = {"id": self.open, "status": status, "status_details": details, "output": [], "usage": usage}
        self.open = None
        self.emit("response.done", response=response)


@contextmanager
def upstream(shape: Shape) -> Iterator[Upstream]:
    script = Upstream(shape)
    server: Server
    with serve(script.converse, "127.0.0.1", 0, process_request=script.admit, compression=None) as server:
        script.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield script
        server.shutdown()
        for line in script.connections:
            line.socket.close()
        thread.join(5)
