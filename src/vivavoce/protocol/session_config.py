"""The session's configuration in canonical form, and the patch a ``session.update`` makes (Realtime reference, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

Modality: TypeAlias = Literal["text", "audio"]
AudioFormat: TypeAlias = Literal["pcm16"]
MaxTokens: TypeAlias = Annotated[int, Meta(ge=1)] | Literal["inf"]

Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=60_000)]
Probability: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
ToolName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class TurnDetection(msgspec.Struct, frozen=True, kw_only=True):
    """Server voice activity detection. ``threshold`` is a speech probability in [0, 1]."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Probability = 0.5
    prefix_padding_ms: Milliseconds = 500
    silence_duration_ms: Milliseconds = 320


class TurnDetectionPatch(msgspec.Struct, frozen=True, kw_only=True):
    """The tunables a client gave; the rest keeps the server's defaults."""

    type: Literal["server_vad"]
    threshold: Probability | UnsetType = UNSET
    prefix_padding_ms: Milliseconds | UnsetType = UNSET
    silence_duration_ms: Milliseconds | UnsetType = UNSET


class FunctionTool(msgspec.Struct, frozen=True, kw_only=True):
    """A function the client runs. ``parameters`` is a JSON Schema object."""

    name: ToolName
    type: Literal["function"] = "function"
    description: str = ""
    parameters: Mapping[str, Any] = {}


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a session can be told. Immutable; ``patched`` makes the next one.

    Replies are not sampled unless the client asks: the small models keep to the user's language and to facts best so.
    """

    model: str
    voice: str
    instructions: str = ""
    modalities: tuple[Modality, ...] = ("text", "audio")
    input_audio_format: AudioFormat = "pcm16"
    output_audio_format: AudioFormat = "pcm16"
    turn_detection: TurnDetection | None = None
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: str = "auto"
    temperature: float = 0.0
    max_output_tokens: MaxTokens = 4096

    @property
    def speaks(self) -> bool:
        """Whether replies are spoken."""
        return "audio" in self.modalities


class SessionPatch(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a ``session.update``; only those present change."""

    modalities: tuple[Modality, ...] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    input_audio_format: AudioFormat | UnsetType = UNSET
    output_audio_format: AudioFormat | UnsetType = UNSET
    turn_detection: TurnDetectionPatch | UnsetType | None = UNSET
    tools: tuple[FunctionTool, ...] | UnsetType = UNSET
    tool_choice: str | UnsetType = UNSET
    temperature: Annotated[float, Meta(ge=0.0, le=2.0)] | UnsetType = UNSET
    max_output_tokens: MaxTokens | UnsetType = UNSET


class ResponseOverrides(SessionPatch, frozen=True, kw_only=True):
    """What a ``response.create`` changes for one response. ``metadata`` comes back with the response."""

    metadata: Mapping[str, Any] | UnsetType = UNSET


def patched(config: SessionConfig, patch: SessionPatch, defaults: TurnDetection) -> SessionConfig:
    """``config`` with the fields present in ``patch``; missing VAD tunables come from ``defaults``."""
    changes = {
        name: getattr(patch, name) for name in SessionPatch.__struct_fields__ if getattr(patch, name) is not UNSET
    }
    vad = changes.get("turn_detection")
    if isinstance(vad, TurnDetectionPatch):
        given = {name: getattr(vad, name) for name in vad.__struct_fields__ if getattr(vad, name) is not UNSET}
        changes["turn_detection"] = msgspec.structs.replace(defaults, **given)
    return msgspec.structs.replace(config, **changes)
