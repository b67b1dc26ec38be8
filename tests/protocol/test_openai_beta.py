"""What is particular to OpenAI's beta dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.refusals import refusal
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import decode, encode
from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.session_config import (
    FunctionChoice,
    FunctionTool,
    SessionConfig,
    TranscriptionPatch,
    TurnDetection,
    TurnDetectionPatch,
)

BETA = DIALECTS["openai_beta"]


def read(event: dict[str, Any]) -> Any:
    return decode(json.dumps(event), BETA)


def wire(event: ev.ServerEvent) -> list[Any]:
    return [json.loads(frame) for frame in encode(event, BETA)]


def update(**session: Any) -> Any:
    return read({"type": "session.update", "session": session}).session


def test_flat_fields_are_read() -> None:
    session = update(
        modalities=["text"],
        input_audio_transcription={"model": "whisper-1", "language": "zh"},
        input_audio_noise_reduction={"type": "far_field"},
        turn_detection={"type": "semantic_vad", "eagerness": "low", "create_response": False, "threshold": None},
        max_response_output_tokens="inf",
        speed=1.25,
        tools=[{"type": "function", "name": "lamp", "parameters": {"type": "object"}}],
    )
    assert session.modalities == ("text",)
    assert session.transcription == TranscriptionPatch(model="whisper-1", language="zh")
    assert session.noise_reduction == "far_field"
    assert session.turn_detection == TurnDetectionPatch(type="semantic_vad", eagerness="low", create_response=False)
    assert session.max_output_tokens == "inf"
    assert session.speed == 1.25
    assert session.tools == (FunctionTool(name="lamp", parameters={"type": "object"}),)


def test_null_means_off_only_where_there_is_an_off() -> None:
    session = update(
        turn_detection=None, input_audio_transcription=None, input_audio_noise_reduction=None, voice=None, tools=None
    )
    assert (session.turn_detection, session.transcription, session.noise_reduction) == (None, None, None)
    assert session == update(turn_detection=None, input_audio_transcription=None, input_audio_noise_reduction=None)


def test_turn_detection_of_no_type_is_off() -> None:
    assert update(turn_detection={"type": "none"}).turn_detection is None  # Azure's clients


def test_a_refusal_quotes_little() -> None:
    error = refusal(
        {"type": "session.update", "session": {"tool_choice": {"type": "function", "name": "a" * 9000}}}, BETA
    )
    assert len(error.message) < 500
    error = refusal({"type": "conversation.item.create", "item": {"type": "a" * 9000}}, BETA)
    assert len(error.message) < 500


def test_a_function_is_chosen_by_name_or_object() -> None:
    for choice in (
        "lamp",
        {"type": "function", "name": "lamp"},
        {"type": "function", "function": {"name": "lamp"}},
    ):
        assert update(tool_choice=choice).tool_choice == FunctionChoice(name="lamp")
    for word in ("auto", "none", "required"):
        assert update(tool_choice=word).tool_choice == word


@pytest.mark.parametrize(("name", "shown"), [("lamp", "lamp"), ("auto", {"type": "function", "name": "auto"})])
def test_a_chosen_function_is_shown_so_that_it_is_understood_again(name: str, shown: Any) -> None:
    config = SessionConfig(model="m", voice="v", tool_choice=FunctionChoice(name=name))
    (event,) = wire(ev.SessionUpdated(event_id="e", session_id="s", session=config))
    assert event["session"]["tool_choice"] == shown
    assert update(tool_choice=shown).tool_choice == FunctionChoice(name=name)


def test_a_transcription_session() -> None:
    event = read(
        {"type": "transcription_session.update", "session": {"input_audio_transcription": {"model": "whisper-1"}}}
    )
    assert isinstance(event, client.SessionUpdate)
    assert event.session.kind == "transcription"
    config = SessionConfig(model="m", voice="v", kind="transcription", turn_detection=TurnDetection())
    (shown,) = wire(ev.SessionUpdated(event_id="e", session_id="s", session=config))
    assert shown["type"] == "transcription_session.updated"
    assert shown["session"]["turn_detection"]["prefix_padding_ms"] == 500
    assert not {"voice", "tools", "instructions"} & set(shown["session"])


def test_the_conversation_is_announced_after_the_session() -> None:
    config = SessionConfig(model="m", voice="v")
    created, conversation = wire(
        ev.SessionCreated(event_id="e", session_id="s", session=config, conversation_id="conv_1")
    )
    assert (created["type"], conversation["type"]) == ("session.created", "conversation.created")
    assert created["event_id"] != conversation["event_id"]
    assert conversation["conversation"]["id"] == "conv_1"


def test_a_response_out_of_band() -> None:
    overrides = read(
        {
            "type": "response.create",
            "response": {
                "conversation": "none",
                "metadata": {"topic": "x"},
                "input": [
                    {"type": "item_reference", "id": "msg_1"},
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "t"}]},
                ],
            },
        }
    ).response
    assert overrides.conversation == "none"
    assert overrides.metadata == {"topic": "x"}
    assert [item.type for item in overrides.input] == ["item_reference", "message"]


def test_a_commit_is_allowed_under_vad() -> None:
    assert read({"type": "input_audio_buffer.commit"}).under_vad is True


def test_transcripts_come_only_on_request_and_by_increments() -> None:
    ids: dict[str, Any] = {"event_id": "e", "item_id": "i", "content_index": 0}
    assert wire(ev.TranscriptionDelta(**ids, delta="b", text="ab", start_ms=0, end_ms=9, requested=False)) == []
    assert wire(ev.TranscriptionCompleted(**ids, transcript="ab", duration_s=1.5, requested=False)) == []
    (delta,) = wire(ev.TranscriptionDelta(**ids, delta="b", text="ab", start_ms=0, end_ms=9, requested=True))
    assert delta["delta"] == "b"
    (completed,) = wire(ev.TranscriptionCompleted(**ids, transcript="ab", duration_s=1.5, requested=True))
    assert completed["usage"] == {"type": "duration", "seconds": 1.5}


def test_thoughts_are_hidden_and_not_counted() -> None:
    ids: dict[str, Any] = {"event_id": "e", "response_id": "r", "output_index": 0, "item_id": "i"}
    thought = Part(type="thinking", text="hm")
    assert wire(ev.PartAdded(**ids, content_index=0, part=thought)) == []
    assert wire(ev.ResponseThinkingDelta(**ids, content_index=0, delta="hm")) == []
    (event,) = wire(ev.AudioDelta(**ids, content_index=1, thoughts_before=1, delta=b""))
    assert event["content_index"] == 0
    item = Item(id="i", role="assistant", content=(thought, Part(type="audio", transcript="t")))
    (done,) = wire(ev.OutputItemDone(event_id="e", response_id="r", output_index=0, item=item))
    assert done["item"]["content"] == [{"type": "audio", "transcript": "t"}]


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"max_response_output_tokens": 0}, "session.max_response_output_tokens"),
        ({"max_response_output_tokens": "²"}, "session.max_response_output_tokens"),
        ({"input_audio_format": "mp3"}, "session.input_audio_format"),
        ({"input_audio_format": {"type": "audio/pcm", "rate": 7}}, "session.input_audio_format.rate"),
        ({"input_audio_format": {"type": "audio/pcmu", "rate": 16000}}, "session.input_audio_format.rate"),
        ({"input_audio_transcription": {"language": 3}}, "session.input_audio_transcription.language"),
        ({"input_audio_noise_reduction": {"type": "magic"}}, "session.input_audio_noise_reduction.type"),
        ({"turn_detection": {"type": "server_vad", "threshold": 2}}, "session.turn_detection.threshold"),
        ({"turn_detection": 3}, "session.turn_detection"),
        ({"modalities": []}, "session.modalities"),
        ({"modalities": ["smell"]}, "session.modalities[0]"),
        ({"speed": 9}, "session.speed"),
        ({"tools": [{"type": "function", "name": "a b"}]}, "session.tools[0].name"),
        ({"tools": [{"type": "function", "function": {"name": 3}}]}, "session.tools[0].function.name"),
        ({"tools": [{"type": "mcp"}]}, "session.tools[0].server_label"),
        (
            {"tools": [{"type": "mcp", "server_label": "x", "server_url": "https://x", "require_approval": "always"}]},
            "session.tools[0].require_approval",
        ),
        ({"tool_choice": "a b"}, "session.tool_choice"),
        ({"tool_choice": {"type": "mcp"}}, "session.tool_choice.server_label"),
    ],
)
def test_a_refusal_names_the_field_as_the_client_does(session: dict[str, Any], param: str) -> None:
    assert refusal({"type": "session.update", "session": session}, BETA).param == param


@pytest.mark.parametrize(
    ("response", "param"),
    [
        ({"conversation": "mine"}, "response.conversation"),
        ({"metadata": {"a": 3}}, "response.metadata[...]"),
        ({"metadata": {str(n): "" for n in range(17)}}, "response.metadata"),
        ({"input": [{"type": "item_reference", "id": 3}]}, "response.input[0].id"),
        ({"max_response_output_tokens": "many"}, "response.max_response_output_tokens"),
    ],
)
def test_so_does_one_of_a_response(response: dict[str, Any], param: str) -> None:
    assert refusal({"type": "response.create", "response": response}, BETA).param == param
