"""A small scripted Realtime server: what the client is tested against when no engines are wanted."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from vivavoce.audio.pcm import decode_pcm16, encode_pcm16
from vivavoce.types import Samples

RATE_HZ = 24_000
LOUD = 0.1
MARKS = {"speech_end": -200.0, "endpoint": 0.0, "transcript": 3.0, "first_token": 4.0, "first_clause": 5.0}


def tone(duration_ms: float, amplitude: float = 0.5) -> Samples:
    """A sine that is loud from the first millisecond on."""
    at = np.arange(round(duration_ms * RATE_HZ / 1000))
    return (amplitude * np.sin(2 * np.pi * 440 * at / RATE_HZ)).astype(np.float32)


@dataclass
class Script:
    """What the server does. It takes the turn after ``silence_ms`` of quiet following something loud."""

    heard: str = "how far is the moon"
    said: tuple[str, ...] = ("It is ", "far.")
    reply: tuple[Samples, ...] = field(default_factory=lambda: (tone(60), tone(60)))
    leading_silence_ms: float = 0.0
    silence_ms: float = 100.0
    status: str = "completed"
    answers: bool = True
    refuse: HTTPStatus | None = None
    refuse_session: bool = False
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)


class Conversation:
    """One connection of the scripted server."""

    def __init__(self, socket: ServerConnection, script: Script) -> None:
        self.socket, self.script = socket, script
        self.loud, self.quiet_ms = False, 0.0

    async def emit(self, type: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"event_id": "evt_s", "type": type, **fields}))

    async def run(self) -> None:
        await self.emit("session.created", session={})
        async for frame in self.socket:
            event = json.loads(frame)
            self.script.received.append(event)
            match event["type"]:
                case "session.update" if self.script.refuse_session:
                    error = {"type": "invalid_request_error", "message": "no such voice", "event_id": event["event_id"]}
                    await self.emit("error", error=error)
                case "session.update":
                    await self.emit("session.updated", session=event["session"])
                case "input_audio_buffer.append":
                    await self.hear(decode_pcm16(base64.b64decode(event["audio"])))
                case "response.create":
                    await self.answer()

    async def hear(self, samples: Samples) -> None:
        if np.abs(samples).max() > LOUD:
            if not self.loud:
                await self.emit("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u1")
            self.loud, self.quiet_ms = True, 0.0
            return
        self.quiet_ms += len(samples) * 1000 / RATE_HZ
        if self.loud and self.quiet_ms >= self.script.silence_ms:
            self.loud = False
            await self.emit("input_audio_buffer.speech_stopped", audio_end_ms=0, item_id="u1")
            await self.emit("input_audio_buffer.committed", previous_item_id=None, item_id="u1")
            await self.emit(
                "conversation.item.input_audio_transcription.completed",
                item_id="u1",
                content_index=0,
                transcript=self.script.heard,
            )
            await self.answer()

    async def answer(self) -> None:
        if not self.script.answers:
            return
        ids = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0}
        await self.emit("response.created", response={"id": "r1", "status": "in_progress", "output": []})
        for delta in self.script.said:
            await self.emit("response.audio_transcript.delta", **ids, delta=delta)
        silence = np.zeros(round(self.script.leading_silence_ms * RATE_HZ / 1000), np.float32)
        for samples in (silence, *self.script.reply):
            audio = base64.b64encode(encode_pcm16(samples)).decode()
            await self.emit("response.audio.delta", **ids, delta=audio)
        response: dict[str, Any] = {"id": "r1", "status": self.script.status, "marks": MARKS, "output": []}
        if self.script.status == "failed":
            response["status_details"] = {"type": "failed", "error": {"message": "the engine broke"}}
        await self.emit("response.done", response=response)


@asynccontextmanager
async def scripted_server(script: Script) -> AsyncIterator[str]:
    """Run it on a free port; yields its base URL."""

    def look(connection: ServerConnection, request: Request) -> Response | None:
        script.requests.append(request.path)
        script.headers.append(dict(request.headers.raw_items()))
        return connection.respond(script.refuse, "refused by the script\n") if script.refuse else None

    async def converse(socket: ServerConnection) -> None:
        try:
            await Conversation(socket, script).run()
        except ConnectionClosed:
            return

    async with serve(converse, "127.0.0.1", 0, process_request=look) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.sleep(0)
