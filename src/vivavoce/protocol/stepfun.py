"""The StepFun dialect (Realtime reference, sections 2 to 5).

Beside the session (flat names, energy threshold, nested tools) it differs from OpenAI's beta in what its clients need:

* thoughts are told, in events and parts of their own;
* what the user said is always told, and its ``delta`` is all the text so far (its ``usage`` is for OpenAI's beta clients,
  which may call StepFun's models too, and require it);
* function-argument deltas carry the increment in both ``delta`` and ``arguments``, because StepFun's own clients disagree on
  the name;
* rate limits (other than the end of the session), and that an item is final, are not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_event_translation import read_event
from vivavoce.protocol.dialect import DialectName, Json
from vivavoce.protocol.item_translation import stepfun_item, stepfun_part
from vivavoce.protocol.json_fields import Field, an_object, free_form, read_fields
from vivavoce.protocol.mcp_events import MCP_EVENTS
from vivavoce.protocol.openai_events import transcription_usage
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.session_translation import (
    FLAT_FIELDS,
    NESTED_ONLY_FIELDS,
    NESTED_ONLY_RESPONSE_FIELDS,
    flat_session,
    read_extras,
    response_fields,
)
from vivavoce.protocol.tools import nested_tool, tool_choice
from vivavoce.protocol.turn_detection import energy_turn_detection
from vivavoce.protocol.usage import STEPFUN_RATES, usage_object

LEGACY_MAX_TOKENS = "max_response_output_length"
"""What clients of the step-1o-audio era call ``max_response_output_tokens``."""

SESSION_FIELDS: Mapping[str, Field] = {
    **FLAT_FIELDS,
    "max_output_tokens": replace(
        FLAT_FIELDS["max_output_tokens"], also=(*FLAT_FIELDS["max_output_tokens"].also, LEGACY_MAX_TOKENS)
    ),
}
RESPONSE_FIELDS: Mapping[str, Field] = {
    **SESSION_FIELDS,
    **response_fields(lambda value, param: free_form(an_object(value, param), param)),
}

CODES: Mapping[str, str] = {
    "item_retrieve_invalid_item_id": "item_not_found",
    "item_delete_invalid_item_id": "item_not_found",
    "item_truncate_invalid_item_id": "item_not_found",
    "item_create_invalid_previous_item_id": "item_not_found",
    "item_create_duplicate_item_id": "item_already_exists",
}
"""Codes of errors that only OpenAI's clients look for, in one word each for all that StepFun's clients do."""


class StepFun:
    """Translators of the StepFun dialect. Stateless."""

    name: DialectName = "stepfun"

    def to_canonical(self, event: Json) -> Json:
        """A client's event in the canonical shape."""
        if event["type"] == "response.create" and "session" in event and "response" not in event:
            # The guide's opening-line sample puts the overrides into a top-level ``session`` object.
            session = {} if event["session"] is None else event["session"]
            return {**event, "response": _read_overrides(session, "session")}
        return read_event(event, self.session_to_canonical, _read_overrides, under_vad=False)

    def session_to_canonical(self, session: Any, param: str) -> Json:
        """The flat session as a canonical patch; an empty one changes nothing."""
        fields = an_object(session, param)
        return {**read_fields(fields, param, SESSION_FIELDS, NESTED_ONLY_FIELDS), **read_extras(fields, param)}

    def to_client(self, event: ev.ServerEvent) -> list[Json]:
        """Most events already have their wire shape."""
        if isinstance(event, MCP_EVENTS):
            return []
        match event:
            case ev.ItemDone():
                return []
            case ev.RateLimits(session=msgspec.UNSET):
                return []
            case ev.SessionCreated() | ev.SessionUpdated():
                session = session_object(event.session, event.session_id)
                return [{"event_id": event.event_id, "type": event.wire_name(), "session": session}]
        plain: Json = msgspec.to_builtins(event, builtin_types=(bytes,))
        plain.pop("thoughts_before", None)
        plain.pop("requested", None)
        match event:
            case ev.Error():
                plain["error"]["code"] = CODES.get(event.error.code or "", event.error.code)
            case ev.ArgumentsDelta():
                plain["arguments"] = event.delta
            case ev.VoicePerception():
                plain |= plain.pop("facts")
            case ev.SpeechStopped():
                del plain["audio_start_ms"]
            case ev.TranscriptionDelta():
                plain["delta"] = plain.pop("text")
                del plain["start_ms"], plain["end_ms"]
            case ev.TranscriptionCompleted():
                plain["usage"] = transcription_usage(plain.pop("duration_s"))
            case ev.ItemCreated() | ev.ItemRetrieved() | ev.OutputItemAdded() | ev.OutputItemDone():
                plain["item"] = stepfun_item(event.item)
            case ev.PartAdded() | ev.PartDone():
                plain["part"] = stepfun_part(event.part)
            case ev.ResponseCreated() | ev.ResponseDone():
                del plain["response"]["config"]
                plain["response"]["output"] = [stepfun_item(item) for item in event.response.output]
                if event.response.usage is not None:
                    plain["response"]["usage"] = usage_object(event.response.usage, STEPFUN_RATES)
        return [plain]


def session_object(config: SessionConfig, session_id: str) -> Json:
    """The session as StepFun shows it, with nested tools."""
    return {
        **config.extras,
        "id": session_id,
        "object": "realtime.session",
        "model": config.model,
        **flat_session(config),
        "turn_detection": energy_turn_detection(config.turn_detection),
        "tools": [nested_tool(tool) for tool in config.tools],
        "tool_choice": tool_choice(config.tool_choice),
    }


def _read_overrides(response: Any, param: str) -> Json:
    return read_fields(an_object(response, param), param, RESPONSE_FIELDS, NESTED_ONLY_RESPONSE_FIELDS)
