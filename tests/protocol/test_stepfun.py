"""The StepFun dialect: what comes in, what goes out, what is refused and how."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import ClientError
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.dialect import decode, encode
from vivavoce.protocol.items import Item, Part, ServerCall
from vivavoce.protocol.session_config import FunctionTool, SessionConfig, SessionPatch, TurnDetection, patched
from vivavoce.protocol.stepfun import StepFun
from vivavoce.protocol.tool_config import McpServerDeclaration, RetrievalDeclaration, WebSearchDeclaration
from vivavoce.types import Citation

DIALECT = StepFun()
VAD = TurnDetection()
NESTED = {"type": "function", "function": {"name": "lamp", "description": "d", "parameters": {"type": "object"}}}
FLAT = {"type": "function", "name": "lamp", "description": "d", "parameters": {"type": "object"}}


def searching(**options: Any) -> Any:
    return {"type": "web_search", "function": {"description": "d", "options": options}}


def read(event: Any) -> Any:
    return decode(json.dumps(event), DIALECT)


def wire(event: ev.ServerEvent) -> Any:
    (frame,) = encode(event, DIALECT)
    return json.loads(frame)


def refusal(event: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        read(event)
    return caught.value


def test_the_documented_session_update() -> None:
    event = read(
        {
            "event_id": "evt_c_001",
            "type": "session.update",
            "session": {
                "modalities": ["text", "audio"],
                "instructions": "Be concise.",
                "voice": "qingchunshaonv",
                "input_audio_format": "pcm16",
                "output_audio_format": "pcm16",
                "turn_detection": {
                    "type": "server_vad",
                    "prefix_padding_ms": 500,
                    "silence_duration_ms": 300,
                    "energy_awakeness_threshold": 2500,
                },
                "tools": [NESTED],
            },
        }
    )
    assert isinstance(event, client.SessionUpdate)
    config = patched(SessionConfig(model="m", voice="v"), event.session, TurnDetection())
    assert config.turn_detection == TurnDetection(threshold=0.5, prefix_padding_ms=500, silence_duration_ms=300)
    assert config.tools == (FunctionTool(name="lamp", description="d", parameters={"type": "object"}),)


def test_tools_of_the_server_are_read() -> None:
    retrieval = {"vector_store_id": "123", "prompt_template": "{{knowledge}} {{query}}"}
    tools = [
        {"type": "web_search"},
        searching(top_k=3, timeout_seconds=4),
        {"type": "retrieval", "function": {"description": "prices", "options": retrieval}},
        {"type": "mcp", "server_label": "desk", "server_url": "https://example.com", "authorization": "secret"},
    ]
    session = read({"type": "session.update", "session": {"tools": tools}}).session
    assert session.tools == (
        WebSearchDeclaration(),
        WebSearchDeclaration(description="d", top_k=3, timeout_seconds=4),
        RetrievalDeclaration(description="prices", **retrieval),
        McpServerDeclaration(
            server_label="desk",
            server_url="https://example.com",
            authorization="secret",
            require_approval="never",
            announced=False,
        ),
    )
    assert "secret" not in repr(session)
    shown = wire(ev.SessionUpdated(session_id="s", session=patched(SessionConfig(model="m", voice="v"), session, VAD)))
    assert shown["session"]["tools"][2] == {**tools[2], "function": {"description": "prices", "options": retrieval}}
    assert shown["session"]["tools"][1] == searching(top_k=3, timeout_seconds=4.0)
    assert "secret" not in json.dumps(shown)


def test_what_an_answer_rests_on_is_shown_and_how_it_was_found_is_not() -> None:
    calls = tuple(
        ServerCall(id=id, name="web_search", arguments="{}", output="hidden", citations=(Citation("News", url="u"),))
        for id in "ab"
    )
    item = Item(id="m", role="assistant", content=(Part(type="text", text="It is so."),), calls=calls)
    shown = wire(ev.OutputItemDone(response_id="r", output_index=0, item=item))["item"]
    assert shown["metadata"] == {"citations": [{"title": "News", "url": "u"}]}
    assert "hidden" not in json.dumps(shown)
    assert "calls" not in shown


def test_flat_and_nested_tools_mean_the_same() -> None:
    flat, nested = (read({"type": "session.update", "session": {"tools": [tool]}}) for tool in (FLAT, NESTED))
    assert flat == nested


def test_what_official_clients_send_is_tolerated() -> None:
    read({"type": "session.update", "session": {}})
    demo: dict[str, Any] = {
        "input_audio_transcription": None,
        "turn_detection": None,
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
    }
    assert read({"type": "session.update", "session": demo}).session.turn_detection is None
    old = {"built_in_tools": [], "threshold": 0.5, "max_response_output_length": 4096, "model": "step-1o-audio"}
    assert read({"type": "session.update", "session": old}).session.max_output_tokens == 4096
    assert (
        read({"type": "session.update", "session": {"max_response_output_tokens": "4096"}}).session.max_output_tokens
        == 4096
    )
    nulls = read({"type": "session.update", "session": {"instructions": None, "tools": None, "turn_detection": None}})
    assert nulls.session == SessionPatch(turn_detection=None)
    opening = read({"type": "response.create", "session": {"instructions": "Say hello."}})
    assert opening.response.instructions == "Say hello."
    assert read({"type": "response.create"}) == client.ResponseCreate()


def test_audio_is_decoded() -> None:
    event = read({"type": "input_audio_buffer.append", "audio": base64.b64encode(b"\x01\x02").decode()})
    assert event.audio == b"\x01\x02"


NO_PARAMETERS: tuple[Any, ...] = (
    7,
    {"type": "string"},
    {"type": "thing"},
    {"properties": 5},
    {"properties": {"x": {"type": "text"}}},
    {"required": "x"},
    {"$schema": []},
    {"properties": {"x": {"minimum": "low"}}},
)
"""What was taken for the parameters of a function, and then failed each reply."""


def with_parameters(parameters: Any) -> dict[str, Any]:
    tool = {"type": "function", "name": "f", "parameters": parameters}
    return {"type": "session.update", "session": {"tools": [tool]}}


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({}, "type"),
        ({"type": 7}, "type"),
        ({"type": "foo.bar"}, "type"),
        ({"type": "session.update"}, "session"),
        ({"type": "session.update", "session": 3}, "session"),
        ({"type": "session.update", "session": {"voice": 3}}, "session.voice"),
        ({"type": "session.update", "session": {"input_audio_format": "mp3"}}, "session.input_audio_format"),
        ({"type": "session.update", "session": {"turn_detection": {"type": "magic"}}}, "session.turn_detection.type"),
        (
            {
                "type": "session.update",
                "session": {"turn_detection": {"type": "server_vad", "energy_awakeness_threshold": 9000}},
            },
            "session.turn_detection.energy_awakeness_threshold",
        ),
        ({"type": "session.update", "session": {"tools": [{"type": "rocket"}]}}, "session.tools[0].type"),
        ({"type": "session.update", "session": {"tools": [{"type": "function"}]}}, "session.tools[0].name"),
        *((with_parameters(odd), "session.tools[0].parameters") for odd in NO_PARAMETERS),
        ({"type": "session.update", "session": {"tool_choice": {"type": "function"}}}, "session.tool_choice.name"),
        (
            {"type": "session.update", "session": {"max_response_output_length": 0}},
            "session.max_response_output_length",
        ),
        (
            {"type": "session.update", "session": {"tools": [NESTED, {"type": "retrieval", "vector_store_id": "1"}]}},
            "session.tools[1].description",
        ),
        (
            {"type": "session.update", "session": {"tools": [{"type": "retrieval", "function": {"description": "d"}}]}},
            "session.tools[0].function.options.vector_store_id",
        ),
        (
            {"type": "session.update", "session": {"tools": [searching(top_k=0)]}},
            "session.tools[0].function.options.top_k",
        ),
        (
            {"type": "session.update", "session": {"tools": [searching(timeout_seconds="soon")]}},
            "session.tools[0].function.options.timeout_seconds",
        ),
        ({"type": "response.create", "session": {"voice": 3}}, "session.voice"),
        ({"type": "input_audio_buffer.append"}, "audio"),
        ({"type": "input_audio_buffer.append", "audio": "***"}, "audio"),
        ({"type": "conversation.item.create", "item": {"type": "rumour"}}, "item.type"),
        (
            {"type": "conversation.item.create", "item": {"role": "user", "content": [{"type": "x"}]}},
            "item.content[0].type",
        ),
        ({"type": "conversation.item.delete"}, "item_id"),
        ({"type": "response.create", "response": {"conversation": "other"}}, "response.conversation"),
    ],
)
def test_a_refusal_names_field_and_event(event: dict[str, Any], param: str) -> None:
    error = refusal({**event, "event_id": "mine"})
    assert error.param == param
    assert error.event_id == "mine"


@pytest.mark.parametrize("frame", ["", "nonsense", "[]", "3", "null", '"x"', "{", b"\xff\xfe", "[" * 10_000])
def test_what_is_not_json_is_refused(frame: str | bytes) -> None:
    with pytest.raises(ClientError) as caught:
        decode(frame, DIALECT)
    assert caught.value.code == "invalid_json"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["session", "item", "response", "audio", "item_id", "event_id", "previous_item_id", "audio_end_ms"]
)
inner_fields = st.sampled_from(
    ["tools", "turn_detection", "voice", "content", "role", "type", "modalities", "function"]
)


@given(
    st.sampled_from(sorted(client.CLIENT_EVENTS)),
    st.dictionaries(fields, st.dictionaries(inner_fields, json_values) | json_values),
)
def test_any_json_is_an_event_or_a_refusal(kind: str, body: dict[str, Any]) -> None:
    with suppress(ClientError):  # any other exception would be a bug
        assert type(read({**body, "type": kind})) is client.CLIENT_EVENTS[kind]


def test_the_session_on_the_wire() -> None:
    config = SessionConfig(
        model="step-audio-2", voice="v", turn_detection=TurnDetection(), tools=(FunctionTool(name="lamp"),)
    )
    event = wire(ev.SessionCreated(event_id="e", session_id="sess_1", session=config))
    session = event["session"]
    assert event["type"] == "session.created"
    assert (session["id"], session["object"], session["model"]) == ("sess_1", "realtime.session", "step-audio-2")
    assert session["turn_detection"]["energy_awakeness_threshold"] == 2500
    assert session["max_response_output_tokens"] == 4096
    assert session["tools"][0]["function"]["name"] == "lamp"


def test_a_session_read_back_is_the_same_session() -> None:
    config = SessionConfig(
        model="m",
        voice="v",
        instructions="i",
        turn_detection=TurnDetection(threshold=0.3),
        tools=(FunctionTool(name="lamp"),),
    )
    session = wire(ev.SessionCreated(session_id="s", session=config))["session"]
    patch = read({"type": "session.update", "session": session}).session
    assert patched(SessionConfig(model="m", voice="other"), patch, TurnDetection()) == config


def test_arguments_come_under_both_names() -> None:
    ids = {"response_id": "r", "output_index": 0, "item_id": "i", "call_id": "c", "name": "lamp"}
    event = wire(ev.ArgumentsDelta(**ids, delta="{}"))  # type: ignore[arg-type]
    assert event["delta"] == event["arguments"] == "{}"


def test_what_the_user_said_is_always_told_and_by_all_so_far() -> None:
    ids: dict[str, Any] = {"event_id": "e", "item_id": "i", "content_index": 0}
    assert (
        wire(ev.TranscriptionDelta(**ids, delta="b", text="ab", start_ms=0, end_ms=9, requested=False))["delta"] == "ab"
    )
    completed = wire(ev.TranscriptionCompleted(**ids, transcript="ab", duration_s=1.5, requested=False))
    assert set(completed) == {"event_id", "type", "item_id", "content_index", "transcript", "usage"}
    assert completed["usage"] == {"type": "duration", "seconds": 1.5}  # OpenAI's beta clients require it


def test_thoughts_are_told_in_parts_of_their_own() -> None:
    ids: dict[str, Any] = {"response_id": "r", "output_index": 0, "item_id": "i", "content_index": 0}
    assert wire(ev.PartAdded(**ids, part=Part(type="thinking", text="")))["part"] == {
        "type": "thinking",
        "thinking": "",
    }
    item = Item(id="i", role="assistant", content=(Part(type="thinking", text="hm"),))
    assert wire(ev.ItemCreated(previous_item_id=None, item=item))["item"]["content"] == [
        {"type": "thinking", "thinking": "hm"}
    ]
    assert wire(ev.ThinkingDone(**ids, thinking="hm"))["thinking"] == "hm"
    seeded = read(
        {
            "type": "conversation.item.create",
            "item": {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}]},
        }
    )
    assert seeded.item.content == (Part(type="thinking", text="hm"),)


def test_a_call_being_written_is_incomplete() -> None:
    call = Item(id="i", type="function_call", status="in_progress", call_id="c", name="lamp", arguments="")
    item = wire(ev.ItemCreated(previous_item_id=None, item=call))["item"]
    assert (item["status"], item["arguments"], item["call_id"]) == ("incomplete", "", "c")


def test_a_plain_threshold_counts_where_no_energy_is_given() -> None:
    vad = {"type": "server_vad", "threshold": 0.25}
    assert read({"type": "session.update", "session": {"turn_detection": vad}}).session.turn_detection.threshold == 0.25
    both = {**vad, "energy_awakeness_threshold": 2500}
    assert read({"type": "session.update", "session": {"turn_detection": both}}).session.turn_detection.threshold == 0.5


def test_a_commit_under_vad_stays_an_error_even_if_the_client_says_otherwise() -> None:
    assert read({"type": "input_audio_buffer.commit", "under_vad": True}).under_vad is False


def test_user_audio_shows_an_open_transcript_and_no_bytes() -> None:
    item = Item(id="i", role="user", content=(Part(type="input_audio", transcript=None),))
    event = wire(ev.ItemCreated(previous_item_id=None, item=item))
    assert event["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert event["previous_item_id"] is None
    assert event["item"]["object"] == "realtime.item"


def test_audio_deltas_are_base64() -> None:
    ids = {"response_id": "r", "output_index": 0, "item_id": "i", "content_index": 0}
    assert wire(ev.AudioDelta(**ids, delta=b"\x01\x02"))["delta"] == "AQI="  # type: ignore[arg-type]


def test_an_append_beyond_the_documented_size_is_refused() -> None:
    largest = base64.b64encode(bytes(client.MAX_APPEND_BYTES)).decode()
    assert len(read({"type": "input_audio_buffer.append", "audio": largest}).audio) == client.MAX_APPEND_BYTES
    too_large = base64.b64encode(bytes(client.MAX_APPEND_BYTES + 2)).decode()
    assert refusal({"type": "input_audio_buffer.append", "audio": too_large}).param == "audio"
