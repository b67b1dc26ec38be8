"""The dialect of StepFun's stateless endpoint (Realtime reference, section 12): StepFun's, with less said on both sides.

Each ``response.create`` brings its whole history; nothing is announced that a client did not ask for. Known from one official
client only, so what it does not mention (the words of a committed utterance, the answer to ``session.update``) is told as in
StepFun's dialect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.item_translation import read_items
from vivavoce.protocol.json_fields import Field, Json, a_list, an_object, of_type, read_fields
from vivavoce.protocol.session_translation import FLAT_FIELDS, NESTED_ONLY_RESPONSE_FIELDS
from vivavoce.protocol.stepfun import StepFun

SpeedRatio = Annotated[float, Meta(ge=0.5, le=2.0)]

SESSION_FIELDS: Mapping[str, Field] = {
    name: field for name, field in FLAT_FIELDS.items() if name not in ("turn_detection", "tools", "tool_choice")
}
"""``turn_detection`` is accepted and does nothing."""


def _read_history(value: Any, param: str) -> list[Any]:
    """Items without their ids: those of the client's past may be ours of the present."""
    items = []
    for index, item in enumerate(a_list(value, param)):
        shaped = dict(an_object(item, f"{param}[{index}]"))
        shaped.pop("id", None)
        if isinstance(shaped.get("content"), list):
            shaped["content"] = [
                _read_part(part, shaped.get("role"), f"{param}[{index}].content[{at}]")
                for at, part in enumerate(shaped["content"])
            ]
        items.append(shaped)
    return read_items(items, param)


def _read_part(value: Any, role: Any, param: str) -> Json:
    """A text part, of either name. Raises ``ClientError`` when it is empty."""
    part = an_object(value, param)
    if part.get("type") not in ("text", "input_text"):
        return part
    if not part.get("text"):
        raise ClientError("A history item must not be empty.", param=f"{param}.text")
    return {**part, "type": "text" if role == "assistant" else "input_text"}


RESPONSE_FIELDS: Mapping[str, Field] = {
    **FLAT_FIELDS,
    "speed": Field("speed_ratio", of_type(SpeedRatio)),
    "input": Field("history", _read_history),
}


class Stateless(StepFun):
    """Translators of the stateless endpoint's dialect. They keep nothing; what a connection has to remember is not here."""

    name: DialectName = "stepfun"

    def to_canonical(self, event: Json) -> Json:
        """A client's event in the canonical shape; the response always stands by itself."""
        if event["type"] != "response.create":
            return super().to_canonical(event)
        response = an_object({} if event.get("response") is None else event["response"], "response")
        overrides = read_fields(response, "response", RESPONSE_FIELDS, NESTED_ONLY_RESPONSE_FIELDS)
        overrides.pop("turn_detection", None)
        return {**event, "response": {"input": [], **overrides, "conversation": "none"}}

    def session_to_canonical(self, session: Any, param: str) -> Json:
        """The session without tools, which belong into each response. Raises ``ClientError`` where there are some."""
        fields = an_object(session, param)
        if fields.get("tools"):
            raise ClientError("Tools are declared in 'response.create' here.", param=f"{param}.tools")
        return read_fields(fields, param, SESSION_FIELDS, NESTED_ONLY_RESPONSE_FIELDS)

    def to_client(self, event: ev.ServerEvent) -> list[Json]:
        """The events this endpoint has; text without speech is ``response.raw_text.delta``."""
        match event:
            case (
                ev.SessionCreated()
                | ev.ItemDeleted()
                | ev.PartAdded()
                | ev.PartDone()
                | ev.OutputItemDone()
                | ev.ResponseTextDone()
                | ev.ResponseThinkingDelta()
                | ev.ThinkingDone()
                | ev.VoicePerception()
            ):
                return []
        shaped = super().to_client(event)
        match event:
            case ev.ResponseTextDelta():
                shaped[0]["type"] = "response.raw_text.delta"
            case ev.ArgumentsDelta():
                del shaped[0]["arguments"]
        return shaped
