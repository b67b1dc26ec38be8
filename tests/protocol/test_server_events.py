"""Every canonical server event in every dialect, read strictly by the classes of openai-python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from openai.types.realtime import RealtimeServerEvent as GAServerEvent
from openai.types.realtime import SessionCreatedEvent as GASessionCreated
from openai.types.realtime.realtime_session_create_request import RealtimeSessionCreateRequest
from openai.types.realtime.realtime_transcription_session_create_request import (
    RealtimeTranscriptionSessionCreateRequest,
)
from pydantic import BaseModel

from protocol.generating import configs, documented_formats, formats, server_events
from vivavoce.protocol import mcp_events as mcp
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.detection import DIALECTS, UndetectedDialect
from vivavoce.protocol.dialect import Dialect, encode

STEPFUN, BETA, GA = DIALECTS["stepfun"], DIALECTS["openai_beta"], DIALECTS["openai"]

MCP: set[type[ev.ServerEvent]] = {
    mcp.McpArgumentsDelta,
    mcp.McpArgumentsDone,
    mcp.McpCallInProgress,
    mcp.McpCallCompleted,
    mcp.McpCallFailed,
    mcp.McpListInProgress,
    mcp.McpListCompleted,
    mcp.McpListFailed,
}
UNSPELLED: dict[str, set[type[ev.ServerEvent]]] = {
    "stepfun": {ev.ItemDone, ev.RateLimits, *MCP},
    "openai_beta": {ev.ItemDone, ev.ResponseThinkingDelta, ev.ThinkingDone, *MCP},
    "openai": {ev.ResponseThinkingDelta, ev.ThinkingDone},
}
"""What a dialect has no words for."""

OURS = {ev.VoicePerception}
"""What no client's classes know; only clients that ask for it get it."""

GA_NAMES = {
    "conversation.item.created": "conversation.item.added",
    **{
        f"response.{kind}.{end}": f"response.output_{kind}.{end}"
        for kind in ("text", "audio", "audio_transcript")
        for end in ("delta", "done")
    },
}


def leaves(cls: type[ev.ServerEvent]) -> Iterator[type[ev.ServerEvent]]:
    inner = cls.__subclasses__()
    if not inner:
        yield cls
    for subclass in inner:
        yield from leaves(subclass)


EVENTS = sorted(set(leaves(ev.ServerEvent)), key=lambda cls: cls.wire_name())


def official(union: Any) -> dict[str, type[BaseModel]]:
    """Wire name → the client's class."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


BETA_CLASSES, GA_CLASSES = official(BetaServerEvent), official(GAServerEvent)


def frames(event: ev.ServerEvent, dialect: Dialect) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in encode(event, dialect)]


def drawn(data: st.DataObject, cls: type[ev.ServerEvent], dialect: str) -> ev.ServerEvent:
    return data.draw(server_events(dialect)[cls])


def asked_for(event: ev.ServerEvent) -> bool:
    """Whether OpenAI's clients get this event: what is heard, in words and beside them, only if they ask, thoughts never."""
    if isinstance(
        event, ev.TranscriptionDelta | ev.TranscriptionCompleted | ev.TranscriptionFailed | ev.VoicePerception
    ):
        return event.requested
    return not (isinstance(event, ev.PartAdded | ev.PartDone) and event.part.type == "thinking")


quick = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_every_event_can_be_generated() -> None:
    for dialect in DIALECTS:
        assert set(server_events(dialect)) == set(EVENTS)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("cls", EVENTS)
@given(st.data())
@quick
def test_no_event_is_forgotten(name: Any, cls: type[ev.ServerEvent], data: st.DataObject) -> None:
    event = drawn(data, cls, name)
    told = frames(event, DIALECTS[name])
    silent = cls in UNSPELLED[name] or (name != "stepfun" and not asked_for(event))
    assert bool(told) is not silent
    for frame in told:
        assert frame["event_id"]
        assert not {"requested", "duration_s", "thoughts_before", "facts"} & set(frame)


@pytest.mark.parametrize("cls", [cls for cls in EVENTS if cls not in {*UNSPELLED["openai"], *OURS}])
@given(st.data())
@quick
def test_ga_clients_read_every_event(cls: type[ev.ServerEvent], data: st.DataObject) -> None:
    for frame in frames(drawn(data, cls, "openai"), GA):
        assert frame["type"] == GA_NAMES.get(cls.wire_name(), cls.wire_name())
        read = GA_CLASSES[frame["type"]].model_validate_json(json.dumps(frame), strict=True)
        assert read.model_dump(mode="json", exclude_unset=True) == frame


@pytest.mark.parametrize(
    "cls", [cls for cls in EVENTS if cls not in {*UNSPELLED["openai_beta"], ev.TimeoutTriggered, *OURS}]
)
@given(st.data())
@quick
def test_beta_clients_read_every_event(cls: type[ev.ServerEvent], data: st.DataObject) -> None:
    for frame in frames(drawn(data, cls, "openai_beta"), BETA):
        if frame["type"] == "transcription_session.updated":
            # the type requires what its own description says is absent over WebSocket
            frame["session"]["client_secret"] = {"value": "v", "expires_at": 1}
        read = BETA_CLASSES[frame["type"]].model_validate_json(json.dumps(frame), strict=True)
        assert read.model_dump(mode="json", exclude_unset=True) == frame


def test_the_beta_types_lack_the_idle_timeout() -> None:
    assert ev.TimeoutTriggered.wire_name() not in BETA_CLASSES
    event = ev.TimeoutTriggered(audio_start_ms=1, audio_end_ms=2, item_id="i")
    assert [frame["type"] for frame in frames(event, BETA)] == [ev.TimeoutTriggered.wire_name()]


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("realtime", RealtimeSessionCreateRequest),
        ("transcription", RealtimeTranscriptionSessionCreateRequest),
    ],
)
@given(st.data())
@quick
def test_ga_clients_see_the_kind_of_session(kind: str, cls: type[BaseModel], data: st.DataObject) -> None:
    config = data.draw(configs("openai", kind, documented_formats))
    (frame,) = frames(ev.SessionCreated(event_id="e", session_id="s", session=config), GA)
    read = GASessionCreated.model_validate_json(json.dumps(frame), strict=True)
    assert type(read.session) is cls


@pytest.mark.parametrize("assumed", DIALECTS)
@given(st.data())
@quick
def test_everybody_reads_the_first_session_of_an_open_connection(assumed: Any, data: st.DataObject) -> None:
    config = data.draw(configs(assumed, "realtime", documented_formats))
    event = ev.SessionCreated(event_id="e", session_id="s", session=config)
    frame = frames(event, UndetectedDialect(assumed))[0]
    session = frame["session"]
    own = frames(event, DIALECTS[assumed])[0]["session"]
    assert {key: session[key] for key in own} == own
    for dialect in DIALECTS.values():
        assert set(frames(event, dialect)[0]["session"]) <= set(session)
    session["tools"], session["tool_choice"] = [], "auto"  # the one place where the spellings exclude each other
    GA_CLASSES["session.created"].model_validate_json(json.dumps(frame), strict=True)
    BETA_CLASSES["session.created"].model_validate_json(json.dumps(frame), strict=True)


@pytest.mark.parametrize("name", DIALECTS)
@given(st.data())
@quick
def test_all_rates_can_be_told(name: Any, data: st.DataObject) -> None:
    config = data.draw(configs(name, formats=formats))
    assert frames(ev.SessionUpdated(event_id="e", session_id="s", session=config), DIALECTS[name])
