"""Conversation items and their content parts, as the wire shows them (Realtime reference, section 3).

Frozen: a change makes a new item (``msgspec.structs.replace``), so an event always carries what was true when it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from vivavoce.types import Citation
from vivavoce.voice_facts import VoiceFacts

ServerItemType: TypeAlias = Literal["mcp_list_tools", "mcp_call", "mcp_approval_request"]
"""Items only the server makes, about what tool servers have and do (OpenAI differences, 9.5)."""

GivenItemType: TypeAlias = Literal["message", "function_call", "function_call_output", "mcp_approval_response"]
ItemType: TypeAlias = GivenItemType | ServerItemType
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


class ServerCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool of the server was called with, what the language model was told of it, and what that rests on."""

    id: str
    name: str
    arguments: str
    output: str
    citations: tuple[Citation, ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A message, a function call, or the output of one. Fields that do not belong to ``type`` stay unset.

    ``calls`` were made on the server, unseen, before this item was complete: part of the history, not of the wire, which
    only shows their citations. ``perception``: how a user's item sounds, where its client is told; the wire has it in
    ``metadata``. ``fillers`` are those words of a reply that only filled silence: the language model has not written them.
    """

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    type: ItemType = "message"
    status: ItemStatus = "completed"
    role: ItemRole | msgspec.UnsetType = msgspec.UNSET
    content: tuple[Part, ...] | msgspec.UnsetType = msgspec.UNSET
    call_id: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    arguments: str | msgspec.UnsetType = msgspec.UNSET
    output: str | msgspec.UnsetType | None = msgspec.UNSET
    server_label: str | msgspec.UnsetType = msgspec.UNSET
    tools: tuple[Mapping[str, Any], ...] | msgspec.UnsetType = msgspec.UNSET
    error: Mapping[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    approval_request_id: str | msgspec.UnsetType | None = msgspec.UNSET
    approve: bool | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType | None = msgspec.UNSET
    calls: tuple[ServerCall, ...] | msgspec.UnsetType = msgspec.UNSET
    perception: VoiceFacts | msgspec.UnsetType = msgspec.UNSET
    fillers: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content, empty for calls and outputs."""
        return () if self.content is msgspec.UNSET else self.content

    @property
    def calls_before(self) -> tuple[ServerCall, ...]:
        """The calls made on the server, unseen, before it was complete."""
        return () if self.calls is msgspec.UNSET else self.calls

    @property
    def answer(self) -> str:
        """What it says, but for words that only filled silence, which may have been cut in their midst."""
        words = " ".join(part.words for part in self.parts if part.type != "thinking" and part.words)
        for filler in () if self.fillers is msgspec.UNSET else self.fillers:
            at = words.find(filler)
            if at >= 0:
                words = f"{words[:at].rstrip()} {words[at + len(filler) :].lstrip()}".strip()
            elif filler.startswith(words.strip()):
                words = ""
        return words


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as a client sends it: ids, status and role may be missing. A reference names an item by its ``id``."""

    type: GivenItemType | Literal["item_reference"] = "message"
    id: str | None = None
    status: ItemStatus | None = None
    role: ItemRole | None = None
    content: tuple[Part, ...] = ()
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None
    approval_request_id: str | None = None
    approve: bool | None = None
    reason: str | None = None
