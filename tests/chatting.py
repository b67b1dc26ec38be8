"""Chat completions against a running server: requests as either platform's users write them, and answers in one shape."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from running import RunningServer, silence, tone

Json = dict[str, Any]


def wav(pcm: bytes, rate_hz: int = 24_000) -> bytes:
    """PCM16 in a file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(rate_hz)
        audio.writeframes(pcm)
    return file.getvalue()


def question(milliseconds: int = 1000) -> bytes:
    """A recording of a tone, which the fake recogniser hears as words."""
    return wav(silence(100) + tone(milliseconds) + silence(100))


def stepfun_audio(file: bytes, kind: str = "wav") -> Json:
    """A content part as StepFun documents it."""
    encoded = base64.b64encode(file).decode()
    return {"type": "input_audio", "input_audio": {"data": f"data:audio/{kind};base64,{encoded}"}}


def openai_audio(file: bytes, format: str = "wav") -> Json:
    """A content part as OpenAI documents it."""
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(file).decode(), "format": format}}


def request(*content: str | Json, **fields: Any) -> Json:
    """A request with one message of the user's."""
    only_text = len(content) == 1 and isinstance(content[0], str)
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    message = {"role": "user", "content": content[0] if only_text else parts}
    return {"model": "step-audio-2", "messages": [message], **fields}


def post(server: RunningServer, body: Json | bytes) -> httpx.Response:
    """Ask and wait."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{server.http}/v1/chat/completions", content=content, headers=headers, timeout=60)


def refused(server: RunningServer, body: Json | bytes, status: int = 400) -> Json:
    """The error object of an answer with this status."""
    answer = post(server, body)
    assert answer.status_code == status, answer.text
    error: Json = answer.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    return error


@dataclass
class Streamed:
    """A streamed answer put together: of each choice its text, speech, calls, and why it ended."""

    chunks: list[Json]
    text: dict[int, str] = field(default_factory=dict)
    transcript: dict[int, str] = field(default_factory=dict)
    audio: dict[int, bytes] = field(default_factory=dict)
    calls: dict[int, list[Json]] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for chunk in self.chunks:
            for choice in chunk["choices"]:
                self._take(choice["index"], choice["delta"])
                if choice["finish_reason"]:
                    assert choice["index"] not in self.reasons
                    self.reasons[choice["index"]] = choice["finish_reason"]

    def _take(self, index: int, delta: Json) -> None:
        self.text[index] = self.text.get(index, "") + (delta.get("content") or "")
        audio = delta.get("audio") or {}
        self.transcript[index] = self.transcript.get(index, "") + audio.get("transcript", "")
        self.audio[index] = self.audio.get(index, b"") + base64.b64decode(audio.get("data", ""))
        calls = self.calls.setdefault(index, [])
        for call in delta.get("tool_calls") or ():
            if call["index"] == len(calls):
                calls.append({"id": call["id"], "type": call["type"], **call["function"]})
            else:
                calls[call["index"]]["arguments"] += call["function"]["arguments"]


def chunks_of(text: str) -> Iterator[Json]:
    """The chunks of a finished stream, whose end is checked."""
    frames = [frame for frame in text.split("\n\n") if frame and not frame.startswith(":")]
    assert frames[-1] == "data: [DONE]", frames[-1]
    for frame in frames[:-1]:
        yield json.loads(frame.removeprefix("data: "))


def stream(server: RunningServer, body: Json) -> Streamed:
    """Ask for a stream and read it to its end."""
    answer = post(server, {**body, "stream": True})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return Streamed(list(chunks_of(answer.text)))
