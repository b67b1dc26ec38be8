"""The OpenAI Realtime dialect of the beta (OpenAI differences, sections 10 and 11): flat session, flat tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivavoce.protocol import server_events as ev
from vivavoce.protocol.audio_formats import format_name
from vivavoce.protocol.client_event_translation import read_event
from vivavoce.protocol.dialect import DialectName, Json
from vivavoce.protocol.item_translation import beta_item
from vivavoce.protocol.json_fields import Field, an_object, of_type, read_fields
from vivavoce.protocol.mcp_events import MCP_EVENTS
from vivavoce.protocol.openai_events import hidden, plain_event, response_object
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.session_translation import (
    FLAT_FIELDS,
    NESTED_ONLY_FIELDS,
    NESTED_ONLY_RESPONSE_FIELDS,
    Metadata,
    flat_session,
    read_extras,
    response_fields,
)
from vivavoce.protocol.tools import beta_tool_choice, flat_tool
from vivavoce.protocol.turn_detection import turn_detection

RESPONSE_FIELDS: Mapping[str, Field] = {**FLAT_FIELDS, **response_fields(of_type(Metadata))}


class OpenAIBeta:
    """Translators of the beta dialect. Stateless."""

    name: DialectName = "openai_beta"

    def to_canonical(self, event: Json) -> Json:
        """A client's event in the canonical shape; a transcription session's update is an update of that kind."""
        if event["type"] == "transcription_session.update":
            session = self.session_to_canonical(event.get("session"), "session")
            return {**event, "type": "session.update", "session": {**session, "kind": "transcription"}}
        return read_event(event, self.session_to_canonical, _read_overrides, under_vad=True)

    def session_to_canonical(self, session: Any, param: str) -> Json:
        """The flat session as a canonical patch."""
        fields = an_object(session, param)
        return {**read_fields(fields, param, FLAT_FIELDS, NESTED_ONLY_FIELDS), **read_extras(fields, param)}

    def to_client(self, event: ev.ServerEvent) -> list[Json]:
        """The canonical names are the beta's. The conversation is announced after the session."""
        if hidden(event) or isinstance(event, MCP_EVENTS):
            return []
        match event:
            case ev.ItemDone():
                return []
            case ev.SessionCreated():
                return [_session_event(event, "session.created"), _conversation_created(event)]
            case ev.SessionUpdated():
                transcribes = event.session.kind == "transcription"
                return [_session_event(event, "transcription_session.updated" if transcribes else "session.updated")]
        plain = plain_event(event)
        match event:
            case ev.ItemCreated() | ev.ItemRetrieved() | ev.OutputItemAdded() | ev.OutputItemDone():
                plain["item"] = beta_item(event.item)
            case ev.ResponseCreated() | ev.ResponseDone():
                plain["response"] = _response(event.response)
        return [plain]


def session_object(event: ev.SessionCreated | ev.SessionUpdated) -> Json:
    """The session as the beta shows it; one that only transcribes shows what it hears and no more."""
    config = event.session
    ids: Json = {"id": event.session_id, "model": config.model, "expires_at": event.expires_at}
    settings: Json = {
        **flat_session(config),
        "turn_detection": turn_detection(config.turn_detection),
        "tools": [flat_tool(tool) for tool in config.tools],
        "tool_choice": beta_tool_choice(config.tool_choice),
    }
    if config.kind == "transcription":
        input_names = ("modalities", "turn_detection")
        input_settings = {
            key: value for key, value in settings.items() if key in input_names or key.startswith("input_audio_")
        }
        return {**config.extras, **ids, "object": "realtime.transcription_session", **input_settings}
    return {**config.extras, **ids, "object": "realtime.session", **settings}


def _session_event(event: ev.SessionCreated | ev.SessionUpdated, name: str) -> Json:
    return {"event_id": event.event_id, "type": name, "session": session_object(event)}


def _conversation_created(event: ev.SessionCreated) -> Json:
    return {
        "event_id": f"{event.event_id}_conversation",
        "type": "conversation.created",
        "conversation": {"id": event.conversation_id, "object": "realtime.conversation"},
    }


def _response(response: ev.ResponseObject) -> Json:
    config: SessionConfig = response.config
    return {
        **response_object(response, [beta_item(item) for item in response.output]),
        "modalities": list(config.modalities),
        "voice": config.voice,
        "output_audio_format": format_name(config.output_audio_format),
        "temperature": config.temperature,
        "max_output_tokens": config.max_output_tokens,
    }


def _read_overrides(response: Any, param: str) -> Json:
    return read_fields(an_object(response, param), param, RESPONSE_FIELDS, NESTED_ONLY_RESPONSE_FIELDS)
