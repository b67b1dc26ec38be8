"""One turn from the client's side: say something, collect everything that comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vivavoce.client.connection import RealtimeClient
from vivavoce.client.errors import ConnectError
from vivavoce.client.events import WIRE_RATE_HZ, ReceivedEvent
from vivavoce.client.record import TurnRecord
from vivavoce.client.streaming import MicrophoneStream, running
from vivavoce.types import Samples

_POLL_S = 0.05

OnEvent = Callable[[ReceivedEvent], None]


def ignore_event(_event: ReceivedEvent) -> None:
    """The listener of a caller that reads the record afterwards."""


@dataclass(frozen=True, slots=True)
class ClientTurn:
    """What was seen of the turn, and the stream that spoke it. ``lead_in_ms`` of silence came before the samples."""

    record: TurnRecord
    stream: MicrophoneStream
    lead_in_ms: float

    def spoken_at_s(self, position_ms: float) -> float:
        """When the sample at this position of the caller's samples was spoken (``time.perf_counter`` seconds)."""
        return self.stream.spoken_at_s(self.lead_in_ms + position_ms)


async def speak_turn(
    client: RealtimeClient,
    samples: Samples,
    *,
    lead_in_ms: float = 0.0,
    timeout_s: float = 60.0,
    on_event: OnEvent = ignore_event,
) -> ClientTurn:
    """Speak ``samples`` (24 kHz) in real time under server VAD and wait for the whole reply.

    ``timeout_s`` runs from the moment the last sample has left; when it is over, the turn comes back unfinished
    (``turn.record.finished`` says so). Raises ``ConnectError``.
    """
    lead_in = np.zeros(round(lead_in_ms * WIRE_RATE_HZ / 1000), np.float32)
    stream = MicrophoneStream(client, np.concatenate([lead_in, samples]))
    record = TurnRecord()
    waited_since_s: float | None = None
    async with running(stream.run()):
        while not (stream.is_speech_sent and record.finished):
            await _receive_one(client, record, on_event)
            if stream.is_speech_sent:
                waited_since_s = waited_since_s or time.perf_counter()
                if time.perf_counter() - waited_since_s > timeout_s:
                    break
    return ClientTurn(record, stream, lead_in_ms)


async def text_turn(
    client: RealtimeClient, text: str, *, timeout_s: float = 60.0, on_event: OnEvent = ignore_event
) -> TurnRecord:
    """Send a written message and wait for the whole spoken reply. Raises ``ConnectError``."""
    record = TurnRecord()
    content = [{"type": "input_text", "text": text}]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await client.send("response.create")
    deadline_s = time.perf_counter() + timeout_s
    while not record.finished and time.perf_counter() < deadline_s:
        await _receive_one(client, record, on_event)
        if record.errors and not record.replies:
            raise ConnectError(f"The server refused the message: {record.errors[-1]}.")
    return record


async def _receive_one(client: RealtimeClient, record: TurnRecord, on_event: OnEvent) -> None:
    event = await client.receive(timeout_s=_POLL_S)
    if event is not None:
        record.receive(event)
        on_event(event)
