"""What a dialect is: two pure translators between the wire and the canonical events, chosen once per connection.

``frame → JSON → Dialect.to_canonical → canonical event`` on the way in,
``canonical event → Dialect.to_client → JSON → frame`` on the way out.
A dialect moves and renames fields; what values are allowed is written in the canonical classes and checked where the client
put them (``json_fields``), so a bad field is reported under the client's own name for it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.client_events import CLIENT_EVENTS, AnyClientEvent
from vivavoce.protocol.json_fields import Json, checked
from vivavoce.protocol.json_text import (
    MAX_FRAME_BYTES,
    MAX_VALUES_IN_LARGE_BODY,
    parse_object,
    without_lone_surrogates,
)
from vivavoce.protocol.server_events import ServerEvent, SessionCreated

__all__ = ["Dialect", "DialectName", "Json", "decode", "decode_object", "encode", "parse"]

DialectName: TypeAlias = Literal["stepfun", "openai_beta", "openai"]


class Dialect(Protocol):
    """One spelling of the protocol."""

    name: DialectName

    def to_canonical(self, event: Json) -> Json:
        """A client's JSON object in the canonical shape. Raises ``ClientError`` with ``param``."""

    def session_to_canonical(self, session: Any, param: str) -> Json:
        """A session object (of an update, or of a client secret) as a canonical patch. Raises ``ClientError``."""

    def to_client(self, event: ServerEvent) -> list[Json]:
        """A canonical event as this dialect's frames: none, one or two. ``bytes`` become base64 when encoded."""


def decode(frame: str | bytes, dialect: Dialect) -> AnyClientEvent:
    """One client frame as a canonical event.

    Raises ``ClientError`` carrying ``param`` (the path of the bad field) and the client's ``event_id`` where it could be
    read; the session lives on.
    """
    return decode_object(parse(frame), dialect)


def parse(frame: str | bytes) -> Json:
    """A frame's JSON object.

    Raises ``ClientError`` with code ``invalid_json``, and the event's id where a more lenient parser can read it; or
    ``request_too_large``, for more than ``MAX_FRAME_BYTES`` bytes beside audio, or too many values.
    """
    try:
        event = parse_object(frame, "frame", max_values=MAX_VALUES_IN_LARGE_BODY)
        if len(frame) > MAX_FRAME_BYTES and len(frame) - _audio_characters(event) > MAX_FRAME_BYTES:
            raise ClientError(f"A frame may have {MAX_FRAME_BYTES} bytes beside its audio.", code="request_too_large")
        return event
    except ClientError as error:
        error.event_id = _event_id(frame) if error.code == "invalid_json" else _event_id_within(frame)
        raise


def _event_id(frame: str | bytes) -> str | None:
    """The id of an event that is JSON to Python, if to nobody else: with ``NaN``, as its encoder writes it."""
    try:
        event = json.loads(without_lone_surrogates(frame))
    except (ValueError, RecursionError):
        return None
    event_id = event.get("event_id") if isinstance(event, dict) else None
    return event_id if isinstance(event_id, str) else None


_EVENT_ID = re.compile(r'"event_id"\s*:\s*"([^"\\]{1,512})"')
_LOOKED_THROUGH = 4096


def _event_id_within(frame: str | bytes) -> str | None:
    """The id of an event that is too large to be parsed, from its beginning or its end."""
    ends = frame[:_LOOKED_THROUGH], frame[-_LOOKED_THROUGH:]
    for end in ends:
        match = _EVENT_ID.search(end if isinstance(end, str) else end.decode("utf-8", "replace"))
        if match is not None:
            return match.group(1)
    return None


def _audio_characters(event: Json) -> int:
    """How much of a frame is audio, wherever an event of any dialect has it: strings called ``audio``."""
    characters = 0
    pending: list[Any] = [event]
    while pending:
        value: Any = pending.pop()
        if isinstance(value, dict):
            audio = value.get("audio")
            characters += len(audio) if isinstance(audio, str) else 0
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return characters


def decode_object(event: Json, dialect: Dialect) -> AnyClientEvent:
    """A parsed frame as a canonical event; ``decode`` says what it raises."""
    try:
        kind = event.get("type")
        if not isinstance(kind, str):
            raise ClientError("Every event needs a 'type' string.", param="type")
        shaped = dialect.to_canonical(event)
        cls = CLIENT_EVENTS.get(shaped["type"])
        if cls is None:
            raise ClientError(f"unsupported event type '{kind[:100]}'", param="type")
        client_event: AnyClientEvent = checked(shaped, cls)
        return client_event
    except ClientError as error:
        event_id = event.get("event_id")
        error.event_id = error.event_id or (event_id if isinstance(event_id, str) else None)
        raise


def encode(event: ServerEvent, dialect: Dialect) -> list[str]:
    """One canonical event as text frames."""
    frames = dialect.to_client(event)
    if isinstance(event, SessionCreated) and event.resume_token is not None:
        frames[0]["session"]["resume_token"] = event.resume_token
    return [msgspec.json.encode(frame).decode() for frame in frames]
