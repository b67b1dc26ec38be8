"""What clients say, in canonical form (Realtime reference, section 4). One class an event, the wire name written once."""

from __future__ import annotations

from typing import Annotated, TypeAlias, get_args

import msgspec

from vivavoce.protocol.items import NewItem
from vivavoce.protocol.session_config import ResponseOverrides, SessionPatch

MAX_APPEND_BYTES = 15 * 1024 * 1024
"""The documented limit of one append (Realtime reference, 1.6)."""


class ClientEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all client events. ``event_id`` comes back in ``error.event_id`` when the event is at fault."""

    event_id: str | None = None


class SessionUpdate(ClientEvent, frozen=True, kw_only=True, tag="session.update"):
    """Change the session; only the fields present change."""

    session: SessionPatch


class AudioAppend(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    """More microphone audio, in the session's input format."""

    audio: Annotated[bytes, msgspec.Meta(max_length=MAX_APPEND_BYTES)]


class AudioCommit(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    """Make a user item of the buffered audio. ``under_vad``: also where the client chose voice activity detection."""

    under_vad: bool = False


class AudioClear(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    """Forget the buffered audio."""


class ItemCreate(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.create"):
    """Add an item after ``previous_item_id``, or at the end."""

    item: NewItem
    previous_item_id: str | None = None


class ItemDelete(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.delete"):
    """Remove an item."""

    item_id: str


class ItemRetrieve(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    """Show an item as the server knows it."""

    item_id: str


class ItemTruncate(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    """Cut an assistant item's audio at what the client has played."""

    item_id: str
    audio_end_ms: int
    content_index: int = 0


class ResponseCreate(ClientEvent, frozen=True, kw_only=True, tag="response.create"):
    """Start a response; ``response`` overrides the session for this one."""

    response: ResponseOverrides = ResponseOverrides()


class ResponseCancel(ClientEvent, frozen=True, kw_only=True, tag="response.cancel"):
    """Stop the response in progress."""

    response_id: str | None = None


class OutputAudioClear(ClientEvent, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    """Forget the audio of a reply that has not been played."""


AnyClientEvent: TypeAlias = (
    SessionUpdate
    | AudioAppend
    | AudioCommit
    | AudioClear
    | ItemCreate
    | ItemDelete
    | ItemRetrieve
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
    | OutputAudioClear
)

CLIENT_EVENTS: dict[str, type[AnyClientEvent]] = {
    str(event.__struct_config__.tag): event for event in get_args(AnyClientEvent)
}
"""Wire name → class: of all of the union above."""
