"""openai-node's Realtime clients, GA and beta, for Node and for browsers, over TLS: every scenario of ``realtime.mjs``."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from clients.conftest import SecureServer
from clients.node_client import NodeClient
from running import RunningServer, silence, tone
from vivavoce.http.tls import self_signed

Events = list[dict[str, Any]]

QUESTION = silence(300) + tone(1000) + silence(700)
PHONED = b"\xff" * 1600 + (b"\x00" * 20 + b"\x80" * 20) * 200 + b"\xff" * 1600  # µ-law: a second of noise
CHARACTER_MS = 50  # of the fake voice


def of(events: Events, name: str) -> Events:
    """The events of this name, in GA's words or the beta's."""
    kind, _, end = name.removeprefix("response.").rpartition(".")
    also = {"conversation.item.created": "conversation.item.added"}.get(name, f"response.output_{kind}.{end}")
    return [event for event in events if event["type"] in (name, also)]


def responses(events: Events) -> Events:
    return [event["response"] for event in of(events, "response.done")]


def words(response: dict[str, Any]) -> str:
    """What the reply says."""
    part = response["output"][0]["content"][0]
    return str(part["transcript"] if part["type"].endswith("audio") else part["text"])


def audio(events: Events) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in of(events, "response.audio.delta"))


def check_text(events: Events) -> None:
    (response,) = responses(events)
    assert words(response) == "You said: good morning"
    assert "".join(event["delta"] for event in of(events, "response.text.delta")) == words(response)


def check_push_to_talk(events: Events) -> None:
    (response,) = responses(events)
    (heard,) = of(events, "conversation.item.input_audio_transcription.completed")
    assert words(response) == f"You said: {heard['transcript']}" == "You said: I heard 1000 milliseconds."
    assert len(audio(events)) == pytest.approx(36 * CHARACTER_MS * 48, abs=2 * CHARACTER_MS * 48)


def check_telephone(events: Events) -> None:
    (response,) = responses(events)
    assert words(response) == "You said: I heard 1000 milliseconds."
    assert len(audio(events)) == pytest.approx(36 * CHARACTER_MS * 8, abs=2 * CHARACTER_MS * 8)


def check_vad(events: Events) -> None:
    (response,) = responses(events)
    assert of(events, "input_audio_buffer.speech_started")
    assert of(events, "input_audio_buffer.speech_stopped")
    assert words(response) == "You said: I heard 1000 milliseconds."


def check_call(events: Events) -> None:
    called, answered = responses(events)
    (call,) = called["output"]
    assert (call["name"], json.loads(call["arguments"])) == ("lamp", {"on": True})
    assert of(events, "response.function_call_arguments.done")[0]["arguments"] == call["arguments"]
    assert words(answered) == "You said: the lamp is on"


def check_cancel(events: Events) -> None:
    cancelled, answered = responses(events)
    assert (cancelled["status"], cancelled["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    assert words(answered) == "You said: go on"


def check_truncate(events: Events) -> None:
    (response,) = responses(events)
    assert words(response) == "You said: one two three four"
    (truncated,) = of(events, "conversation.item.truncated")
    assert truncated["audio_end_ms"] == 850
    (retrieved,) = of(events, "conversation.item.retrieved")
    assert retrieved["item"]["content"][0]["transcript"] == "You said: one two"


def check_out_of_band(events: Events) -> None:
    aside, answered = responses(events)
    assert (aside["metadata"], aside["conversation_id"]) == ({"topic": "support"}, None)
    assert words(aside) == "You said: classify this"
    assert words(answered) == "You said: the history"
    assert len(of(events, "conversation.item.created")) == 2


def check_interrupt(events: Events) -> None:
    cut, answered = responses(events)
    assert (cut["status"], cut["status_details"]["reason"]) == ("cancelled", "turn_detected")
    (retrieved,) = of(events, "conversation.item.retrieved")
    assert "You said: once" in words(cut) == retrieved["item"]["content"][0]["transcript"]
    assert len(words(cut)) < 100
    assert words(answered).startswith("You said: I heard ")


def check_mistake(events: Events) -> None:
    (error,) = of(events, "error")
    assert (error["error"]["param"], error["error"]["event_id"]) == ("type", "mine")
    assert words(responses(events)[0]) == "You said: still there"


SCENARIOS: dict[str, tuple[Callable[[Events], None], tuple[bytes, ...]]] = {
    "text": (check_text, ()),
    "pushToTalk": (check_push_to_talk, (QUESTION,)),
    "telephone": (check_telephone, (PHONED,)),
    "vad": (check_vad, (QUESTION,)),
    "call": (check_call, ()),
    "cancel": (check_cancel, ()),
    "truncate": (check_truncate, ()),
    "outOfBand": (check_out_of_band, ()),
    "interrupt": (check_interrupt, (tone(600), silence(700))),
    "mistake": (check_mistake, ()),
}
"""Scenario of ``realtime.mjs`` → what its events must show, and the recordings it speaks."""


@pytest.mark.parametrize("ga", [True, False], ids=["GA", "beta"])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_scenario(secure_server: SecureServer, node_client: NodeClient, scenario: str, ga: bool) -> None:
    check, recordings = SCENARIOS[scenario]
    events = await node_client.run(
        scenario,
        ga=ga,
        transport="ws",
        port=secure_server.port,
        cert=secure_server.cert,
        model="gpt-realtime" if ga else "gpt-4o-realtime-preview",
        recordings=recordings,
    )
    assert scenario == "mistake" or not of(events, "error")
    check(events)


@pytest.mark.parametrize(
    ("ga", "model"),
    [(True, "gpt-realtime"), (True, "step-audio-2-mini"), (False, "gpt-4o-realtime-preview"), (False, "step-audio-2")],
)
async def test_the_clients_for_browsers(
    secure_server: SecureServer, node_client: NodeClient, ga: bool, model: str
) -> None:
    events = await node_client.run(
        "text", ga=ga, transport="websocket", port=secure_server.port, cert=secure_server.cert, model=model
    )
    assert not of(events, "error")
    check_text(events)


@asynccontextmanager
async def behind_tls(server: RunningServer, home: Path) -> AsyncIterator[SecureServer]:
    """TLS in front of a server without it, as a reverse proxy would do."""
    files = self_signed(home, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer))

    async with await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context) as proxy:
        yield SecureServer(proxy.sockets[0].getsockname()[1], files.cert)


@pytest.mark.real
@pytest.mark.parametrize(("ga", "model"), [(True, "gpt-realtime-mini"), (False, "gpt-4o-mini-realtime-preview")])
async def test_a_text_turn_with_the_real_models(
    real_server: RunningServer, node_client: NodeClient, tmp_path: Path, ga: bool, model: str
) -> None:
    async with behind_tls(real_server, tmp_path) as secured:
        events = await node_client.run(
            "question", ga=ga, transport="ws", port=secured.port, cert=secured.cert, model=model
        )
    assert not of(events, "error")
    assert "Paris" in words(responses(events)[0])
