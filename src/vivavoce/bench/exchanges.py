"""One thing said to a server in a conversation that goes on, by text or by voice, and everything that came of it.

Calls of functions are answered by the caller at once, and the response that follows belongs to the same exchange.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vivavoce.client.connection import RealtimeClient
from vivavoce.client.errors import ConnectError
from vivavoce.client.events import ReceivedEvent
from vivavoce.client.record import TurnRecord
from vivavoce.client.recording import speech_end_ms
from vivavoce.client.turn import speak_turn
from vivavoce.types import Samples

ROUNDS = 4
"""How often an exchange may call and go on."""

LEAD_IN_MS = 400.0
_POLL_S = 0.05
_PERCEPTION = "voice.perception"
_TEXT = ("response.text.delta", "response.audio_transcript.delta")


@dataclass(frozen=True, slots=True)
class CallMade:
    """A function call; arguments that are no JSON object are kept as ``{"": text}``. ``result`` is what it was answered."""

    name: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said and what came back. ``heard`` is the transcript of what was said aloud, empty by text; ``perceived`` the
    ``voice.perception`` of it, where the server told one.

    Times in milliseconds: by text from the request for the response, by voice from the end of speech; ``None`` for none.
    """

    said: str
    answer: str
    calls: tuple[CallMade, ...] = ()
    heard: str = ""
    perceived: Mapping[str, Any] = field(default_factory=dict)
    first_text_ms: float | None = None
    first_audible_ms: float | None = None


Respond = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""The client's functions: a name and arguments → a result."""


class Conversation:
    """An open conversation. ``respond`` runs the client's functions; every method raises ``ConnectError``."""

    def __init__(self, client: RealtimeClient, respond: Respond, *, timeout_s: float = 60.0) -> None:
        self._client = client
        self._respond = respond
        self._timeout_s = timeout_s
        self._events: list[ReceivedEvent] = []

    async def write(self, text: str) -> Exchange:
        """Send a written message and wait for all that comes of it."""
        content = [{"type": "input_text", "text": text}]
        await self._client.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        self._events = []
        began_s = time.perf_counter()
        record = await self._response()
        return await self._rest(text, record, began_s)

    async def speak(self, text: str, samples: Samples) -> Exchange:
        """Say ``samples`` (24 kHz), of which ``text`` is what they say, wait, and hear everything to its end."""
        self._events = []
        turn = await speak_turn(
            self._client, samples, lead_in_ms=LEAD_IN_MS, timeout_s=self._timeout_s, on_event=self._events.append
        )
        return await self._rest(text, turn.record, turn.spoken_at_s(speech_end_ms(samples)))

    async def _rest(self, said: str, record: TurnRecord, began_s: float) -> Exchange:
        records, calls, seen = [record], list[CallMade](), 0
        for _ in range(ROUNDS):
            new = [event for event in self._events[seen:] if _is_call(event)]
            seen = len(self._events)
            if not new:
                break
            for event in new:
                calls.append(await self._answer(event.nested("item")))
            records.append(await self._response())
        await self._heard_out(records)
        return Exchange(
            said,
            " ".join(filter(None, (_answer(one) for one in records))),
            tuple(calls),
            record.transcript,
            next((event.fields for event in self._events if event.type == _PERCEPTION), {}),
            self._first_text_ms(began_s),
            _first_audible_ms(records, began_s),
        )

    async def _response(self) -> TurnRecord:
        """Ask for a response and wait for the whole of it."""
        record, until_s = TurnRecord(), time.perf_counter() + self._timeout_s
        await self._client.send("response.create")
        while not record.finished:
            if time.perf_counter() > until_s:
                raise ConnectError(f"No whole response came within {self._timeout_s:.0f} s.")
            event = await self._client.receive(timeout_s=_POLL_S)
            if event is not None:
                record.receive(event)
                self._events.append(event)
            if record.errors and not record.replies:
                raise ConnectError(f"The server refused: {record.errors[-1]}.")
        return record

    async def _answer(self, item: Mapping[str, Any]) -> CallMade:
        arguments = _parsed(str(item.get("arguments") or ""))
        result = self._respond(str(item.get("name")), arguments)
        output = {
            "type": "function_call_output",
            "call_id": item.get("call_id"),
            "output": json.dumps(result, ensure_ascii=False),
        }
        await self._client.send("conversation.item.create", item=output)
        return CallMade(str(item.get("name")), arguments, result)

    async def _heard_out(self, records: list[TurnRecord]) -> None:
        """Wait until a player would have played everything, so that the next words interrupt nothing."""
        ends_s = [reply.playout.ends_s for record in records for reply in record.replies if reply.playout.ends_s]
        await asyncio.sleep(max(0.0, max(ends_s, default=0.0) - time.perf_counter()))

    def _first_text_ms(self, began_s: float) -> float | None:
        return next(((event.arrived_s - began_s) * 1000 for event in self._events if event.type in _TEXT), None)


def _is_call(event: ReceivedEvent) -> bool:
    item = event.nested("item")
    return (
        event.type == "response.output_item.done"
        and item.get("type") == "function_call"
        and item.get("status") != "incomplete"
    )


def _answer(record: TurnRecord) -> str:
    return " ".join(reply.transcript.strip() for reply in record.replies if reply.status != "cancelled").strip()


def _first_audible_ms(records: list[TurnRecord], began_s: float) -> float | None:
    heard = [reply.audible_s for record in records for reply in record.replies if reply.audible_s is not None]
    return (min(heard) - began_s) * 1000 if heard else None


def _parsed(arguments: str) -> Mapping[str, Any]:
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"": arguments}
