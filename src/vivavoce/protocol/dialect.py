"""What a dialect is: two pure translators between the wire and the canonical events, chosen once per connection.

``frame → JSON → Dialect.reshape_client → canonical event`` on the way in,
``canonical event → Dialect.reshape_server → JSON → frame`` on the way out.
A dialect only moves and renames fields; what values are allowed is written in the canonical classes, so a bad field is
reported the same way whoever sent it.
"""

from __future__ import annotations

import re
from typing import Any, Protocol, TypeAlias

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.client_events import CLIENT_EVENTS, AnyClientEvent
from vivavoce.protocol.server_events import ServerEvent

Json: TypeAlias = dict[str, Any]

_AT = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")


class Dialect(Protocol):
    """One spelling of the protocol."""

    name: str

    def reshape_client(self, event: Json) -> Json:
        """A client's JSON object in the canonical shape. Raises ``ClientError`` with ``param``."""

    def reshape_session(self, session: Any, param: str) -> Json:
        """A session object (of an update, or of a client secret) as a canonical patch. Raises ``ClientError``."""

    def reshape_server(self, event: ServerEvent) -> list[Json]:
        """A canonical event as this dialect's frames: none, one or two. ``bytes`` become base64 when encoded."""


def decode(frame: str | bytes, dialect: Dialect) -> AnyClientEvent:
    """One client frame as a canonical event.

    Raises ``ClientError`` carrying ``param`` (the path of the bad field) and the client's ``event_id`` where it could be
    read; the session lives on.
    """
    event = _json_object(frame)
    event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
    try:
        kind = event.get("type")
        if not isinstance(kind, str):
            raise ClientError("Every event needs a 'type' string.", param="type")
        shaped = dialect.reshape_client(event)
        cls = CLIENT_EVENTS.get(shaped["type"])
        if cls is None:
            raise ClientError(f"unsupported event type '{kind[:100]}'", param="type")
        return _convert(shaped, cls)
    except ClientError as error:
        error.event_id = error.event_id or event_id
        raise


def encode(event: ServerEvent, dialect: Dialect) -> list[str]:
    """One canonical event as text frames."""
    return [msgspec.json.encode(frame).decode() for frame in dialect.reshape_server(event)]


def _json_object(frame: str | bytes) -> Json:
    try:
        event = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ClientError(f"The frame is not JSON: {error}", code="invalid_json") from error
    except RecursionError as error:
        raise ClientError("The frame is nested too deeply.", code="invalid_json") from error
    if not isinstance(event, dict):
        raise ClientError("invalid event format: a frame must be a JSON object.", code="invalid_json")
    return event


def _convert(event: Json, cls: type[AnyClientEvent]) -> AnyClientEvent:
    try:
        return msgspec.convert(event, cls)
    except msgspec.ValidationError as error:
        message = str(error)
        at = _AT.search(message)
        code = "missing_required_parameter" if "missing required field" in message else "invalid_value"
        missing = re.search(r"missing required field `(\w+)`", message)
        path = ".".join(step for step in (at.group(1) if at else "", missing.group(1) if missing else "") if step)
        raise ClientError(f"invalid event format: {_AT.sub('', message)}", code=code, param=path or None) from error
