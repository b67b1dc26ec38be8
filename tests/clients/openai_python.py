"""openai-python's two Realtime clients, spoken to alike: what differs between GA and the beta is named here.

Every event is checked on arrival: the client made it an instance of the class it has for that event, and the class finds
no fault with it (the client itself builds objects without validating them).
"""

from __future__ import annotations

import asyncio
import base64
import json
import warnings
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, get_args

from openai import AsyncOpenAI
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from openai.types.realtime import RealtimeServerEvent as GAServerEvent
from pydantic import BaseModel

from running import RunningServer

Json = dict[str, Any]
FRAME_BYTES = 960  # 20 ms of PCM16 at 24 kHz


def official(union: Any) -> Mapping[str, type[BaseModel]]:
    """Wire name → the client's class."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


@dataclass(frozen=True)
class Spelling:
    """One of the two clients: which, for what model, and how it spells what both can say."""

    name: str
    ga: bool
    model: str
    classes: Mapping[str, type[BaseModel]]

    def event(self, name: str) -> str:
        """A server event's name, given the beta's."""
        if not self.ga:
            return name
        kind, _, end = name.removeprefix("response.").rpartition(".")
        if kind in ("text", "audio", "audio_transcript"):
            return f"response.output_{kind}.{end}"
        return "conversation.item.added" if name == "conversation.item.created" else name

    def part(self, name: str) -> str:
        """An assistant's content part, given the beta's name."""
        return f"output_{name}" if self.ga else name

    def tool_name(self, tool: Any) -> str:
        """The name of a tool of the session; StepFun's models show it as StepFun does."""
        nested: Json | None = None if self.ga else (tool.model_extra or {}).get("function")
        return str(tool.name if nested is None else nested["name"])

    def modalities(self, *, spoken: bool) -> Json:
        """A session's or a response's modalities."""
        if self.ga:
            return {"output_modalities": ["audio" if spoken else "text"]}
        return {"modalities": ["text", "audio"] if spoken else ["text"]}

    def session(
        self,
        *,
        spoken: bool = True,
        vad: Json | None = None,
        telephone: bool = False,
        tools: Sequence[Json] = (),
        voice: str = "marin",
    ) -> Json:
        """A session with transcription; ``telephone`` asks for µ-law both ways, else it is PCM16 at 24 kHz."""
        transcription = {"model": "whisper-1"}
        shared = {**self.modalities(spoken=spoken), "instructions": "Be brief.", "tools": list(tools)}
        if self.ga:
            format = {"type": "audio/pcmu"} if telephone else {"type": "audio/pcm", "rate": 24000}
            heard = {"format": format, "turn_detection": vad, "transcription": transcription}
            return {
                "type": "realtime",
                **shared,
                "audio": {"input": heard, "output": {"format": format, "voice": voice}},
            }
        name = "g711_ulaw" if telephone else "pcm16"
        formats = {"input_audio_format": name, "output_audio_format": name, "voice": voice}
        return {**shared, **formats, "turn_detection": vad, "input_audio_transcription": transcription}


GA_CLASSES, BETA_CLASSES = official(GAServerEvent), official(BetaServerEvent)
SPELLINGS = (
    Spelling("GA", True, "gpt-realtime", GA_CLASSES),
    Spelling("GA on a StepFun model", True, "step-audio-2-mini", GA_CLASSES),
    Spelling("beta", False, "gpt-4o-realtime-preview", BETA_CLASSES),
    Spelling("beta on a StepFun model", False, "step-audio-2-mini", BETA_CLASSES),
)


class Caller:
    """A connection of one of the clients. What its resources (``session``, ``response``, …) do is ``connection``'s.

    ``patience_s`` is how long it waits for one event.
    """

    patience_s = 60.0

    def __init__(self, connection: Any, spelling: Spelling) -> None:
        self.connection = connection
        self.spelling = spelling

    async def next(self) -> Any:
        """The next event, as the client's own object."""
        async with asyncio.timeout(self.patience_s):
            raw = await self.connection.recv_bytes()
        event = self.connection.parse_event(raw)
        cls = self.spelling.classes[event.type]
        assert type(event) is cls, event
        cls.model_validate(self._named_by_openai(json.loads(raw)))
        return event

    def _named_by_openai(self, event: Json) -> Json:
        """The beta's class of a session lists OpenAI's own models; ours have other names."""
        if not self.spelling.ga and "model" in event.get("session", {}):
            event["session"]["model"] = "gpt-4o-realtime-preview"
        return event

    async def until(self, name: str) -> list[Any]:
        """Events up to and with the first of this name (the beta's); an error that was not asked for fails."""
        wanted = self.spelling.event(name)
        events = [await self.next()]
        while events[-1].type != wanted:
            assert events[-1].type != "error", events[-1]
            events.append(await self.next())
        return events

    def of(self, events: Iterable[Any], name: str) -> list[Any]:
        """The events of this name (the beta's)."""
        wanted = self.spelling.event(name)
        return [event for event in events if event.type == wanted]

    def words(self, events: Iterable[Any], name: str) -> str:
        """The deltas of this name, together."""
        return "".join(event.delta for event in self.of(events, name))

    def audio(self, events: Iterable[Any]) -> bytes:
        """All audio, in the session's format."""
        return b"".join(base64.b64decode(event.delta) for event in self.of(events, "response.audio.delta"))

    async def update(self, **session: Any) -> Any:
        """``session.update`` in this client's shape, and the session it makes."""
        await self.connection.session.update(session=self.spelling.session(**session))
        return (await self.until("session.updated"))[-1].session

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})

    async def speak(self, audio: bytes) -> None:
        for at in range(0, len(audio), FRAME_BYTES):
            chunk = base64.b64encode(audio[at : at + FRAME_BYTES]).decode()
            await self.connection.input_audio_buffer.append(audio=chunk)

    async def answer(self, **response: Any) -> list[Any]:
        """Ask for a response and wait for its end."""
        await self.connection.response.create(response=response)
        return await self.until("response.done")

    async def answer_in_text(self, **response: Any) -> str:
        """The words of a text-only response."""
        events = await self.answer(**self.spelling.modalities(spoken=False), **response)
        assert events[-1].response.status == "completed"
        return self.words(events, "response.text.delta")

    async def item(self, item_id: str) -> Any:
        """What the server has of an item."""
        await self.connection.conversation.item.retrieve(item_id=item_id)
        return (await self.until("conversation.item.retrieved"))[-1].item


def client_of(server: RunningServer) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="unused", base_url=f"{server.http}/v1", websocket_base_url=f"{server.ws}/v1")


@asynccontextmanager
async def calling(server: RunningServer, spelling: Spelling, **session: Any) -> AsyncIterator[Caller]:
    """A caller whose session is made and updated."""
    async with client_of(server) as client:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the beta is deprecated by its makers
            connect = (client.realtime if spelling.ga else client.beta.realtime).connect
            manager = connect(model=spelling.model)
        async with manager as connection:
            caller = Caller(connection, spelling)
            await caller.until("session.created")
            await caller.update(**session)
            yield caller
