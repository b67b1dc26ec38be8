"""StepFun's browser demo (Step-Realtime-Console) re-created: what it sends when, and what it cannot do without.

Its library keeps its own list of items from the events and throws on whatever does not fit; its page plays the audio,
answers function calls the moment their item is done, and hangs up on every error but one. Here all of that raises.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from running import RunningServer

Json = dict[str, Any]
SUBPROTOCOLS = [Subprotocol(name) for name in ("realtime", "openai-insecure-api-key.null", "openai-beta.realtime-v1")]
HARMLESS = "no ongoing response to cancel"
BYTES_A_MS = 48  # PCM16 at 24 kHz
RECORDED_MS = 85  # what its recorder hands over at a time


class Items:
    """The library's list of items, made from events. A ``KeyError`` or ``IndexError`` here is an exception there."""

    def __init__(self) -> None:
        self.by_id: dict[str, Json] = {}
        self.outputs: dict[str, list[str]] = {}
        self.audio: dict[str, bytearray] = {}
        self._event_ids: set[str] = set()

    def take(self, event: Json) -> None:
        """One server event."""
        assert event["event_id"] not in self._event_ids
        self._event_ids.add(event["event_id"])
        match event["type"]:
            case "conversation.item.created":
                self._created(deepcopy(event["item"]))
            case "conversation.item.truncated":
                del self.audio[event["item_id"]][event["audio_end_ms"] * BYTES_A_MS :]
            case "conversation.item.deleted":
                del self.by_id[event["item_id"]]
            case "conversation.item.input_audio_transcription.completed":
                if event["item_id"] in self.by_id:
                    self._part(event)["transcript"] = event["transcript"]
            case "response.created":
                self.outputs[event["response"]["id"]] = event["response"]["output"]
                assert event["response"]["output"] == []
            case "response.output_item.added":
                self.outputs[event["response_id"]].append(event["item"]["id"])
            case "response.output_item.done":
                self.by_id[event["item"]["id"]]["status"] = event["item"]["status"]
            case "response.content_part.added":
                self.by_id[event["item_id"]]["content"].append(deepcopy(event["part"]))
            case "response.audio.delta":
                self.audio[event["item_id"]] += base64.b64decode(event["delta"])
            case "response.audio.done":
                self.by_id[event["item_id"]]["status"] = "completed"
            case "response.audio_transcript.delta":
                self._part(event)["transcript"] += event["delta"]
            case "response.text.delta":
                self._part(event)["text"] += event["delta"]
            case "response.thinking.delta":
                self._part(event)["thinking"] += event["delta"]
            case "response.function_call_arguments.delta":
                self.by_id[event["item_id"]]["arguments"] += event["delta"]

    def said(self) -> list[tuple[str, str]]:
        """Role and words of every message."""
        return [
            (item["role"], "".join(part.get("transcript") or part.get("text") or "" for part in item["content"]))
            for item in self.by_id.values()
            if item["type"] == "message"
        ]

    def _created(self, item: Json) -> None:
        item.setdefault("content", [])
        assert item["status"]
        if item["type"] == "function_call":
            assert item["name"]
            assert item["call_id"]
            assert item["arguments"] == ""
        self.by_id.setdefault(item["id"], item)
        self.audio[item["id"]] = bytearray()

    def _part(self, event: Json) -> Json:
        part: Json = self.by_id[event["item_id"]]["content"][event["content_index"]]
        return part


class Console:
    """The page and its client. ``tools`` are functions of the arguments; what is played is played in real time."""

    def __init__(self, socket: ClientConnection) -> None:
        self.items = Items()
        self.events: list[Json] = []
        self.tools: dict[str, Callable[[Json], Any]] = {}
        self.session: Json = {
            "modalities": ["text", "audio"],
            "instructions": "你是由阶跃星辰提供的AI聊天助手。",
            "voice": "qingchunshaonv",
            "input_audio_format": "pcm16",
            "output_audio_format": "pcm16",
            "input_audio_transcription": None,
            "turn_detection": None,
            "tools": [],
            "tool_choice": "auto",
            "temperature": 0.8,
            "max_response_output_tokens": 4096,
        }
        self._socket = socket
        self._sent = 0
        self._recorded = False
        self._playing: str | None = None
        self._since = 0.0

    # ---- what its library sends

    async def send(self, type: str, **fields: Any) -> None:
        self._sent += 1
        await self._socket.send(json.dumps({"event_id": f"evt_{self._sent}", "type": type, **fields}))

    async def update(self, **changed: Any) -> None:
        """The whole session, whatever has changed of it."""
        self.session |= changed
        await self.send("session.update", session=self.session)

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await self.create_response()

    async def record(self, audio: bytes) -> None:
        step = RECORDED_MS * BYTES_A_MS
        for at in range(0, len(audio), step):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(audio[at : at + step]).decode())
        self._recorded = True

    async def create_response(self) -> None:
        """Commits what was recorded, if the client is the one to do so."""
        if self.session["turn_detection"] is None and self._recorded:
            await self.send("input_audio_buffer.commit")
            self._recorded = False
        await self.send("response.create")

    # ---- what its page does

    async def start(self) -> None:
        """Connected: the session, a greeting, and the session again for the mode, all without waiting."""
        await self.update()
        await self.say("Hello!")
        await self.update(turn_detection=self.session["turn_detection"])

    async def interrupt(self) -> None:
        """Stops the player. If something was playing, cancels the response and truncates what was played of."""
        item_id, self._playing = self._playing, None
        if item_id is None:
            return
        played_ms = min(round((time.monotonic() - self._since) * 1000), len(self.items.audio[item_id]) // BYTES_A_MS)
        await self.send("response.cancel")
        content = self.items.by_id[item_id]["content"]
        index = next(at for at, part in enumerate(content) if part["type"] == "audio")
        await self.send("conversation.item.truncate", item_id=item_id, content_index=index, audio_end_ms=played_ms)

    async def next(self) -> Json:
        """The next event, taken in and reacted to."""
        event: Json = json.loads(await asyncio.wait_for(self._socket.recv(), 20))
        self.events.append(event)
        self.items.take(event)
        match event["type"]:
            case "error":
                assert event["error"]["message"] == HARMLESS, event
            case "response.audio.delta":
                self._play(event["item_id"])
            case "response.output_item.done":
                await self._call(self.items.by_id[event["item"]["id"]])
            case "input_audio_buffer.speech_started":
                await self.interrupt()
        return event

    async def until(self, type: str) -> Json:
        event = await self.next()
        while event["type"] != type:
            event = await self.next()
        return event

    async def listen(self, seconds: float) -> None:
        """Take in what comes for a while: the time in which it plays."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self.next()

    def of(self, type: str) -> list[Json]:
        return [event for event in self.events if event["type"] == type]

    def _play(self, item_id: str) -> None:
        if self._playing != item_id:
            self._playing, self._since = item_id, time.monotonic()

    async def _call(self, item: Json) -> None:
        if item["type"] != "function_call" or item["name"] not in self.tools:
            return
        output = json.dumps(self.tools[item["name"]](json.loads(item["arguments"])))
        answer = {"type": "function_call_output", "call_id": item["call_id"], "output": output}
        await self.send("conversation.item.create", item=answer)
        await self.create_response()


@asynccontextmanager
async def console(server: RunningServer, model: str = "step-audio-2") -> AsyncIterator[Console]:
    """A connected demo, nothing sent yet."""
    url = f"{server.ws}/v1/realtime?apiKey=null&model={model}"
    async with connect(url, subprotocols=SUBPROTOCOLS, origin=None, max_size=None) as socket:
        assert socket.subprotocol == "realtime"
        yield Console(socket)
