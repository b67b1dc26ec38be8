"""What is particular to OpenAI's GA dialect."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from protocol.refusals import refusal
from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import decode, encode
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import (
    FunctionChoice,
    SessionConfig,
    SessionPatch,
    TranscriptionPatch,
    TurnDetectionPatch,
)
from vivavoce.protocol.usage import OPENAI_RATES, Usage, usage_object

GA = DIALECTS["openai"]
MCP = {"type": "mcp", "server_label": "desk", "server_url": "https://example.com/mcp"}


def read(event: dict[str, Any]) -> Any:
    return decode(json.dumps(event), GA)


def wire(event: ev.ServerEvent) -> Any:
    (frame,) = encode(event, GA)
    return json.loads(frame)


def update(**session: Any) -> Any:
    return read({"type": "session.update", "session": {"type": "realtime", **session}}).session


def test_nested_fields_are_read() -> None:
    session = update(
        output_modalities=["audio"],
        audio={
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": {"model": "whisper-1"},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000},
            },
            "output": {"format": {"type": "audio/pcm", "rate": 16000}, "voice": {"id": "v"}, "speed": 1.5},
        },
        tool_choice={"type": "function", "name": "lamp"},
        max_output_tokens="inf",
        reasoning={"effort": "low"},
    )
    assert session == SessionPatch(
        kind="realtime",
        modalities=("text", "audio"),
        input_audio_format=AudioFormat(encoding="g711_ulaw", rate_hz=8000),
        transcription=TranscriptionPatch(model="whisper-1"),
        noise_reduction="near_field",
        turn_detection=TurnDetectionPatch(type="server_vad", idle_timeout_ms=5000),
        output_audio_format=AudioFormat(rate_hz=16000),
        voice="v",
        speed=1.5,
        tool_choice=FunctionChoice(name="lamp"),
        max_output_tokens="inf",
        extras={"reasoning": {"effort": "low"}},
    )


NOTHINGS: list[dict[str, Any]] = [
    {},
    {"audio": None},
    {"audio": {"input": None, "output": {}}},
    {"instructions": None, "tools": None},
]


def test_only_what_is_present_changes() -> None:
    for nothing in NOTHINGS:
        assert update(**nothing) == SessionPatch(kind="realtime")


def test_what_clears() -> None:
    session = update(
        instructions="",
        tools=[],
        audio={"input": {"turn_detection": None, "transcription": None, "noise_reduction": None}},
    )
    assert session == SessionPatch(
        kind="realtime", instructions="", tools=(), turn_detection=None, transcription=None, noise_reduction=None
    )


@pytest.mark.parametrize(
    ("wire_form", "canonical", "shown"),
    [
        (["audio"], ("text", "audio"), ["audio"]),
        (["text"], ("text",), ["text"]),
        (["text", "audio"], ("text", "audio"), ["audio"]),
    ],
)
def test_modalities(wire_form: list[str], canonical: Any, shown: list[str]) -> None:
    assert update(output_modalities=wire_form).modalities == canonical
    config = SessionConfig(model="m", voice="v", modalities=canonical)
    event = wire(ev.SessionUpdated(event_id="e", session_id="s", session=config))
    assert event["session"]["output_modalities"] == shown


def test_the_session_shows_its_kind_and_end() -> None:
    config = SessionConfig(model="m", voice="v", kind="transcription")
    session = wire(ev.SessionCreated(event_id="e", session_id="s", session=config, expires_at=7))["session"]
    assert (session["type"], session["id"], session["expires_at"]) == ("transcription", "s", 7)
    assert set(session["audio"]) == {"input"}


@pytest.mark.parametrize(
    ("canonical", "clients"),
    [
        ("session.voice", "session.audio.output.voice"),
        ("response.voice", "response.audio.output.voice"),
        ("session.tool_choice", "session.tool_choice"),
        ("session.audio.input.format", "session.audio.input.format"),
        ("item.content[0].type", "item.content[0].type"),
        ("item_id", "item_id"),
        (None, None),
    ],
)
def test_an_error_names_the_clients_own_path(canonical: str | None, clients: str | None) -> None:
    body = ev.ErrorBody(type="invalid_request_error", code=None, message="m", param=canonical)
    assert wire(ev.Error(event_id="e", error=body))["error"]["param"] == clients


def test_parts_of_a_reply_have_their_own_names() -> None:
    written, heard = {"type": "output_text", "text": "t"}, {"type": "output_audio", "transcript": "t"}
    event = read(
        {"type": "conversation.item.create", "item": {"type": "message", "role": "assistant", "content": [written]}}
    )
    assert event.item.content == (Part(type="text", text="t"),)
    item = Item(id="i", role="assistant", content=(Part(type="text", text="t"), Part(type="audio", transcript="t")))
    added = wire(ev.ItemCreated(event_id="e", previous_item_id=None, item=item))
    assert added["type"] == "conversation.item.added"
    assert added["item"]["content"] == [written, heard]
    done = wire(ev.ItemDone(event_id="e", previous_item_id=None, item=item))
    assert (done["type"], done["item"]) == ("conversation.item.done", added["item"])
    ids: dict[str, Any] = {"event_id": "e", "response_id": "r", "output_index": 0, "item_id": "i", "content_index": 0}
    assert wire(ev.PartAdded(**ids, part=item.parts[1]))["part"]["type"] == "audio"


def test_a_response_shows_what_it_was_made_with() -> None:
    config = SessionConfig(model="m", voice="v", modalities=("text",), max_output_tokens=7)
    item = Item(id="i", role="assistant", content=(Part(type="thinking", text="hm"), Part(type="text", text="t")))
    response = ev.ResponseObject(
        id="r", status="completed", config=config, conversation_id="c", output=(item,),
        usage=Usage(input_text=3, input_audio_ms=250, output_audio_ms=51), metadata={"a": "b"},
    )  # fmt: skip
    shown = wire(ev.ResponseDone(event_id="e", response=response))["response"]
    assert shown == {
        "id": "r",
        "object": "realtime.response",
        "status": "completed",
        "status_details": None,
        "conversation_id": "c",
        "output": [msgspec.to_builtins(item) | {"content": [{"type": "output_text", "text": "t"}]}],
        "usage": usage_object(Usage(input_text=3, input_audio_ms=250, output_audio_ms=51), OPENAI_RATES),
        "metadata": {"a": "b"},
        "output_modalities": ["text"],
        "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "v"}},
        "max_output_tokens": 7,
    }


def test_a_failure_gives_no_reason_the_types_do_not_know() -> None:
    body = ev.ErrorBody(type="server_error", code="engine_error", message="m")
    details = ev.StatusDetails(type="failed", reason="error", error=body)
    response = ev.ResponseObject(
        id="r", status="failed", config=SessionConfig(model="m", voice="v"), status_details=details
    )
    shown = wire(ev.ResponseDone(event_id="e", response=response))["response"]["status_details"]
    assert shown["error"]["code"] == "engine_error"
    assert "reason" not in shown


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"type": None}, "session.type"),
        ({"type": "other"}, "session.type"),
        ({"audio": 3}, "session.audio"),
        ({"audio": {"output": []}}, "session.audio.output"),
        ({"audio": {"output": {"speed": 9}}}, "session.audio.output.speed"),
        ({"audio": {"output": {"voice": 9}}}, "session.audio.output.voice"),
        ({"audio": {"output": {"voice": {"id": 9}}}}, "session.audio.output.voice.id"),
        ({"audio": {"output": {"format": "pcm17"}}}, "session.audio.output.format"),
        ({"audio": {"input": {"format": {"type": "audio/mp3"}}}}, "session.audio.input.format.type"),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 1}}}}, "session.audio.input.format.rate"),
        ({"audio": {"input": {"transcription": {"model": 3}}}}, "session.audio.input.transcription.model"),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 1}}}},
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        ({"output_modalities": "audio"}, "session.output_modalities"),
        ({"max_output_tokens": 0}, "session.max_output_tokens"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "session.tools[0].server_url"),
        ({"tools": [{"type": "mcp", "server_label": "x", "server_url": "ftp://x"}]}, "session.tools[0].server_url"),
        ({"tools": [{"type": "mcp", "server_label": "x", "connector_id": "c"}]}, "session.tools[0].connector_id"),
        ({"tools": [MCP, MCP]}, "session.tools"),
        ({"tools": [{**MCP, "allowed_tools": 3}]}, "session.tools[0].allowed_tools"),
        ({"tools": [{**MCP, "require_approval": "now"}]}, "session.tools[0].require_approval"),
        ({"tools": [{"type": "code_interpreter"}]}, "session.tools[0].type"),
        ({"tool_choice": {"type": "mcp", "server_label": "x", "name": 3}}, "session.tool_choice.name"),
        ({"tool_choice": {"type": "mcp", "name": "x"}}, "session.tool_choice.server_label"),
        ({"tool_choice": "a b"}, "session.tool_choice"),
    ],
)
def test_a_refusal_names_the_field_as_the_client_does(session: dict[str, Any], param: str) -> None:
    error = refusal({"type": "session.update", "session": {"type": "realtime", **session}}, GA)
    assert error.param == param


def test_images_are_refused() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,"}
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "see"}, image]}
    assert refusal({"type": "conversation.item.create", "item": item}, GA).param == "item.content[1].type"
    error = refusal({"type": "response.create", "response": {"input": [item]}}, GA)
    assert error.param == "response.input[0].content[1].type"
    assert "images" in error.message
