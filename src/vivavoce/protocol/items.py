"""Conversation items and their content parts, as the wire shows them (Realtime reference, section 3).

Frozen: a change makes a new item (``msgspec.structs.replace``), so an event always carries what was true when it was made.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

ItemType: TypeAlias = Literal["message", "function_call", "function_call_output"]
ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]
ItemRole: TypeAlias = Literal["system", "user", "assistant"]
PartType: TypeAlias = Literal["input_text", "input_audio", "text", "audio", "thinking"]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One content part. ``audio`` is PCM in the session's format; on the wire it is base64."""

    type: PartType
    text: str | None = None
    audio: bytes | None = None
    transcript: str | msgspec.UnsetType | None = msgspec.UNSET

    @property
    def words(self) -> str:
        """What this part says, read or heard."""
        if isinstance(self.transcript, str):
            return self.transcript
        return self.text or ""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A message, a function call, or the output of one. Fields that do not belong to ``type`` stay unset."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    type: ItemType = "message"
    status: ItemStatus = "completed"
    role: ItemRole | msgspec.UnsetType = msgspec.UNSET
    content: tuple[Part, ...] | msgspec.UnsetType = msgspec.UNSET
    call_id: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    arguments: str | msgspec.UnsetType = msgspec.UNSET
    output: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content, empty for calls and outputs."""
        return () if self.content is msgspec.UNSET else self.content


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as a client sends it: ids, status and role may be missing. A reference names an item by its ``id``."""

    type: ItemType | Literal["item_reference"] = "message"
    id: str | None = None
    status: ItemStatus | None = None
    role: ItemRole | None = None
    content: tuple[Part, ...] = ()
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None
