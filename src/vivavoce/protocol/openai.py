"""The OpenAI Realtime dialect as generally available (OpenAI differences, sections 3 to 9): nested audio, renamed events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.audio_formats import format_object
from vivavoce.protocol.client_event_translation import read_event
from vivavoce.protocol.dialect import DialectName, Json
from vivavoce.protocol.item_translation import ga_item
from vivavoce.protocol.json_fields import Field, an_object, of_type, read_fields
from vivavoce.protocol.openai_events import hidden, plain_event, response_object
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.session_translation import (
    FLAT_ONLY_FIELDS,
    NESTED_FIELDS,
    NESTED_RESPONSE_FIELDS,
    Metadata,
    noise_reduction,
    read_extras,
    response_fields,
    spoken_so,
    transcription,
)
from vivavoce.protocol.tools import flat_tool, tool_choice
from vivavoce.protocol.turn_detection import turn_detection

RESPONSE_FIELDS: Mapping[str, Field] = {**NESTED_RESPONSE_FIELDS, **response_fields(of_type(Metadata))}

NAMES: Mapping[str, str] = {
    "conversation.item.created": "conversation.item.added",
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}
"""Canonical names of server events that GA calls otherwise."""


class OpenAI:
    """Translators of the GA dialect. Stateless."""

    name: DialectName = "openai"

    def to_canonical(self, event: Json) -> Json:
        """A client's event in the canonical shape."""
        return read_event(event, self.session_to_canonical, _read_overrides, under_vad=True)

    def session_to_canonical(self, session: Any, param: str) -> Json:
        """The nested session as a canonical patch; ``type`` is required."""
        fields = an_object(session, param)
        if fields.get("type") is None:
            raise ClientError(
                f"Missing required parameter: '{param}.type'.",
                code="missing_required_parameter",
                param=f"{param}.type",
            )
        return {**read_fields(fields, param, NESTED_FIELDS, FLAT_ONLY_FIELDS), **read_extras(fields, param)}

    def to_client(self, event: ev.ServerEvent) -> list[Json]:
        """Renamed events, with GA's session, response and part types in them."""
        if hidden(event):
            return []
        if isinstance(event, ev.SessionCreated | ev.SessionUpdated):
            return [{"event_id": event.event_id, "type": event.wire_name(), "session": session_object(event)}]
        plain = plain_event(event)
        plain["type"] = NAMES.get(plain["type"], plain["type"])
        match event:
            case ev.ItemCreated() | ev.ItemDone() | ev.ItemRetrieved() | ev.OutputItemAdded() | ev.OutputItemDone():
                plain["item"] = ga_item(event.item)
            case ev.ResponseCreated() | ev.ResponseDone():
                plain["response"] = _response(event.response)
            case ev.Error():
                plain["error"]["param"] = _clients_path(event.error.param)
        return [plain]


def session_object(event: ev.SessionCreated | ev.SessionUpdated) -> Json:
    """The session as GA shows it; one that only transcribes shows what it hears and no more."""
    config = event.session
    audio_input: Json = {
        "format": format_object(config.input_audio_format),
        "transcription": transcription(config.transcription),
        "noise_reduction": noise_reduction(config),
        "turn_detection": turn_detection(config.turn_detection),
    }
    shaped: Json = {**config.extras, "type": config.kind, "id": event.session_id, "expires_at": event.expires_at}
    if config.kind == "transcription":
        return {**shaped, "object": "realtime.transcription_session", "audio": {"input": audio_input}}
    return {
        **shaped,
        "object": "realtime.session",
        "model": config.model,
        "output_modalities": _modalities(config),
        "instructions": config.instructions,
        "tools": [flat_tool(tool) for tool in config.tools],
        "tool_choice": tool_choice(config.tool_choice),
        "parallel_tool_calls": config.parallel_tool_calls,
        "max_output_tokens": config.max_output_tokens,
        "audio": {"input": audio_input, "output": {**_audio_output(config), "speed": config.speed}},
    }


def _modalities(config: SessionConfig) -> list[str]:
    return ["audio"] if config.speaks else ["text"]


def _audio_output(config: SessionConfig) -> Json:
    return {"format": format_object(config.output_audio_format), "voice": config.voice, **spoken_so(config)}


def _response(response: ev.ResponseObject) -> Json:
    config = response.config
    return {
        **response_object(response, [ga_item(item) for item in response.output]),
        "output_modalities": _modalities(config),
        "audio": {"output": _audio_output(config)},
        "max_output_tokens": config.max_output_tokens,
    }


def _clients_path(param: str | None) -> str | None:
    """Where the client wrote what the session finds fault with: ``session.voice`` is ``session.audio.output.voice`` here."""
    place, _, name = (param or "").partition(".")
    field = NESTED_FIELDS.get(name)
    return f"{place}.{field.path}" if field is not None else param


def _read_overrides(response: Any, param: str) -> Json:
    fields = an_object(response, param)
    read = read_fields(fields, param, RESPONSE_FIELDS, FLAT_ONLY_FIELDS)
    return {**read, **read_extras(fields, param, ("prompt", "reasoning"))}
