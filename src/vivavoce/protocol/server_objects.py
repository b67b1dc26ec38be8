"""Objects inside server events: errors and responses (Realtime reference, 5.1 and 5.20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from vivavoce.protocol.items import Item
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.usage import Usage

ResponseStatus: TypeAlias = Literal["in_progress", "completed", "cancelled", "failed", "incomplete"]


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The documented error object. ``event_id`` is the id of the client event at fault."""

    type: str
    code: str | None
    message: str
    param: str | None = None
    event_id: str | None = None


class SessionLimit(msgspec.Struct, frozen=True, kw_only=True):
    """When a session ends: at ``expires_at`` (seconds of the epoch, where it is known), ``expires_in_seconds`` from now."""

    expires_at: int | None
    expires_in_seconds: float


class StatusDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a response ended as it did."""

    type: ResponseStatus
    reason: str | None = None
    error: ErrorBody | None = None


class ResponseObject(msgspec.Struct, frozen=True, kw_only=True):
    """A response as ``response.created`` and ``response.done`` show it. ``marks`` only where the client asked for them,
    ``not_applied`` only where there is something.

    ``config`` is what it was made with; ``conversation_id`` is ``None`` out of band.
    """

    id: str
    status: ResponseStatus
    config: SessionConfig
    conversation_id: str | None = None
    object: Literal["realtime.response"] = "realtime.response"
    status_details: StatusDetails | None = None
    output: tuple[Item, ...] = ()
    usage: Usage | None = None
    metadata: Mapping[str, Any] | UnsetType | None = UNSET
    marks: dict[str, float] | UnsetType = UNSET
    not_applied: tuple[str, ...] | UnsetType = UNSET
