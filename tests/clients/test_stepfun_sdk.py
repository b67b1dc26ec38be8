"""What StepFun's old Python client (``stepfun_realtime_api`` 0.1.1) does on the wire (Realtime reference, section 11).

It opens with an empty ``session.update``, calls things by their old names, commits before every response when it does not
leave turns to the server, and cuts what the user said out of its own recording.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from clients.stepfun_console import Items
from running import RunningServer, silence, tone

Json = dict[str, Any]
LEGACY: Json = {
    "model": "step-1o-audio",
    "modalities": ["text", "audio"],
    "instructions": "Be brief.",
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "voice": "jingdiannvsheng",
    "built_in_tools": ["web_search"],
    "turn_detection": {"type": "server_vad"},
    "max_response_output_length": 4096,
}


class OldClient:
    """The client, and the items it makes of the events. ``server_vad`` is what it believes; it does not always say so."""

    def __init__(self, socket: ClientConnection) -> None:
        self.items = Items()
        self.events: list[Json] = []
        self.server_vad = True
        self._socket = socket
        self._recorded = b""

    async def send(self, type: str, **fields: Any) -> None:
        event_id = f"evt_{1_795_000_000_000 + len(self.events)}_0a1b2c3d"
        await self._socket.send(json.dumps({"type": type, **fields, "event_id": event_id}))

    async def until(self, type: str) -> Json:
        while True:
            event: Json = json.loads(await asyncio.wait_for(self._socket.recv(), 20))
            self.events.append(event)
            self.items.take(event)
            if event["type"] == "conversation.item.created" and event["item"]["type"] == "message":
                assert {"content", "role", "status"} <= event["item"].keys()
            if event["type"] == type:
                return event

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"content": content, "type": "message", "role": "user"})
        await self.create_response()

    async def speak(self, audio: bytes) -> None:
        self._recorded += audio
        for at in range(0, len(audio), 960):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(audio[at : at + 960]).decode())

    async def create_response(self) -> None:
        if not self.server_vad:
            await self.send("input_audio_buffer.commit")
        await self.send("response.create")

    def spoken(self, started: Json, stopped: Json) -> bytes:
        """What it takes for the user's words: its own recording from ``audio_start_ms`` to ``audio_end_ms``."""
        return self._recorded[started["audio_start_ms"] * 48 : stopped["audio_end_ms"] * 48]

    def of(self, type: str) -> list[Json]:
        return [event for event in self.events if event["type"] == type]


@asynccontextmanager
async def old_client(server: RunningServer) -> AsyncIterator[OldClient]:
    """Connected: it sends its first update before it has read anything, and forgets to put anything in."""
    headers = {"authorization": "Bearer unused"}
    url = f"{server.ws}/v1/realtime?model=step-1o-audio"
    async with connect(url, additional_headers=headers) as socket:
        client = OldClient(socket)
        await client.send("session.update", session={})
        assert (await client.until("session.created"))["session"]["id"]
        assert (await client.until("session.updated"))["session"]["model"] == "step-1o-audio"
        yield client


async def test_old_names_are_understood_or_overlooked(fake_server: RunningServer) -> None:
    async with old_client(fake_server) as client:
        await client.send("session.update", session=LEGACY)
        session = (await client.until("session.updated"))["session"]
        assert (session["voice"], session["max_response_output_tokens"]) == ("jingdiannvsheng", 4096)
        assert session["turn_detection"]["type"] == "server_vad"


async def test_a_turn_the_server_ends(fake_server: RunningServer) -> None:
    async with old_client(fake_server) as client:
        await client.send("session.update", session=LEGACY)
        for length_ms in (1000, 700):  # the second turn's times count from the beginning of all audio
            await client.speak(silence(600) + tone(length_ms) + silence(600))
            started = await client.until("input_audio_buffer.speech_started")
            stopped = await client.until("input_audio_buffer.speech_stopped")
            words = np.frombuffer(client.spoken(started, stopped), "<i2")
            assert np.count_nonzero(words) / 24 >= 0.99 * length_ms  # a tone crosses zero
            assert not words[: 24 * 100].any()
            assert not words[-24 * 100 :].any()
            await client.until("response.done")
            assert client.items.said()[-1] == ("assistant", f"You said: I heard {length_ms} milliseconds.")
        assert not client.of("error")


async def test_text_is_committed_too(fake_server: RunningServer) -> None:
    """Which is an error, for there is no audio; the response that is asked for next comes all the same."""
    async with old_client(fake_server) as client:
        client.server_vad = False
        await client.say("hello")
        await client.until("response.done")
        assert client.items.said() == [("user", "hello"), ("assistant", "You said: hello")]
        (error,) = client.of("error")
        assert error["error"]["type"] == "invalid_request_error"
        assert error["error"]["event_id"].endswith("_0a1b2c3d")


async def test_push_to_talk_without_saying_so(fake_server: RunningServer) -> None:
    """It has no way to tell the server that it ends turns itself: a commit by hand must do."""
    async with old_client(fake_server) as client:
        client.server_vad = False
        await client.speak(silence(100) + tone(500) + silence(100))
        await client.create_response()
        await client.until("response.done")
        assert client.items.said() == [
            ("user", "I heard 500 milliseconds."),
            ("assistant", "You said: I heard 500 milliseconds."),
        ]
        assert not client.of("error")
        assert len(client.of("response.created")) == 1
