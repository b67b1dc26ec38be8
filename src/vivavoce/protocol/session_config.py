"""The session's configuration in canonical form, and the patch a ``session.update`` makes (Realtime reference, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol.items import NewItem
from vivavoce.protocol.tool_config import DeclaredTool, McpServerDeclaration, ToolName, wire_type
from vivavoce.protocol.tool_config import FunctionTool as FunctionTool

Modality: TypeAlias = Literal["text", "audio"]
SessionKind: TypeAlias = Literal["realtime", "transcription"]
MaxTokens: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)] | Literal["inf"]
Eagerness: TypeAlias = Literal["low", "medium", "high", "auto"]

LANGUAGE_KEY = r"^(\*|[A-Za-z]{2,3}(-[A-Za-z0-9-]{1,30})?)$"
"""A language as BCP 47 names it, or ``*`` for every one."""

Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=60_000)]
Phrases: TypeAlias = Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=1000)]
LanguageKey: TypeAlias = Annotated[str, Meta(pattern=LANGUAGE_KEY)]
IgnoredWords: TypeAlias = Annotated[dict[LanguageKey, Phrases], Meta(max_length=200)] | Phrases
Probability: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Temperature: TypeAlias = Annotated[float, Meta(ge=0.0, le=2.0)]
Speed: TypeAlias = Annotated[float, Meta(ge=0.25, le=4.0)]


class Interruption(msgspec.Struct, frozen=True, kw_only=True):
    """Which speech stops a reply for good (ours, no platform's); what a client leaves out is as the server has it.

    Speech of nothing but ``ignore_words`` does not: phrases by language (``*``: with every one), or one list instead of all.
    Neither does speech of fewer than ``min_words``, or shorter than ``min_speech_ms``.
    """

    ignore_words: IgnoredWords | UnsetType = UNSET
    min_words: Annotated[int, Meta(ge=0, le=100)] | UnsetType = UNSET
    min_speech_ms: Milliseconds | UnsetType = UNSET


class TurnDetection(msgspec.Struct, frozen=True, kw_only=True):
    """Server voice activity detection. ``threshold`` is a speech probability in [0, 1].

    Without ``silence_duration_ms``, and with ``semantic_vad`` in any case, a pause ends the turn by how finished the user
    seems to be and by ``eagerness``. ``idle_timeout_ms`` of silence after a reply prompts the model to speak (OpenAI GA).
    ``interruption`` is what the client has said about it.
    """

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: Probability = 0.5
    prefix_padding_ms: Milliseconds = 500
    silence_duration_ms: Milliseconds | None = None
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: Annotated[int, Meta(ge=1000, le=600_000)] | None = None
    eagerness: Eagerness = "auto"
    interruption: Interruption | None = None

    @property
    def fixed_silence_ms(self) -> int | None:
        """The silence that ends a turn, where it is settled."""
        return self.silence_duration_ms if self.type == "server_vad" else None


SHARED_BY_DETECTIONS = ("create_response", "interrupt_response", "idle_timeout_ms", "interruption")
"""What turn detection of any type is told alike: what is done at a turn's beginning and end, not how either is found."""


class TurnDetectionPatch(msgspec.Struct, frozen=True, kw_only=True):
    """The tunables a client gave; the others stay as they are (see ``patched``)."""

    type: Literal["server_vad", "semantic_vad"] | UnsetType = UNSET
    threshold: Probability | UnsetType = UNSET
    prefix_padding_ms: Milliseconds | UnsetType = UNSET
    silence_duration_ms: Milliseconds | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET
    idle_timeout_ms: Annotated[int, Meta(ge=1000, le=600_000)] | UnsetType | None = UNSET
    eagerness: Eagerness | UnsetType = UNSET
    interruption: Interruption | UnsetType = UNSET


class Transcription(msgspec.Struct, frozen=True, kw_only=True):
    """How the user's speech is written down for the client. ``language`` and ``prompt`` are hints for the recogniser.

    ``full_rerun_on_commit``: the transcript is made of the whole utterance at its end, never of readings made before.
    ``enable_itn``: its numbers and codes are written as they are typed (inverse text normalisation).
    """

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    full_rerun_on_commit: bool = False
    enable_itn: bool = False


class TranscriptionPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says about transcription; ``None`` takes a value away, what is not given stays."""

    model: str | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    prompt: str | UnsetType | None = UNSET
    full_rerun_on_commit: bool | UnsetType = UNSET
    enable_itn: bool | UnsetType = UNSET


class FunctionChoice(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """The model must call this function."""

    name: ToolName


class ServerChoice(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="mcp"):
    """The model must call a tool of the tool server ``server_label``: the one of this name, or any."""

    server_label: ToolName
    name: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | FunctionChoice | ServerChoice


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a session can be told. Immutable; ``patched`` makes the next one.

    ``transcription`` is what the client asked for (the recogniser runs in any case); ``voice_label`` and ``instruction`` say
    how replies are spoken, as in text to speech; ``extras`` holds fields that are only echoed, by wire name. Replies are not
    sampled unless the client asks: the small models keep to the user's language and to facts best so.
    """

    model: str
    voice: str
    kind: SessionKind = "realtime"
    instructions: str = ""
    modalities: tuple[Modality, ...] = ("text", "audio")
    input_audio_format: AudioFormat = AudioFormat()
    output_audio_format: AudioFormat = AudioFormat()
    transcription: Transcription | None = None
    noise_reduction: Literal["near_field", "far_field"] | None = None
    turn_detection: TurnDetection | None = None
    tools: tuple[DeclaredTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    temperature: float = 0.0
    speed: float = 1.0
    voice_label: Mapping[str, str] | None = None
    instruction: str | None = None
    max_output_tokens: MaxTokens = 4096
    extras: Mapping[str, Any] = {}

    @property
    def speaks(self) -> bool:
        """Whether replies are spoken."""
        return "audio" in self.modalities


Frozen = Literal["instructions", "tools"]
"""Fields of a session that whoever makes a client secret can keep its holder from changing."""


class SessionPatch(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a ``session.update``; only those present change."""

    kind: SessionKind | UnsetType = UNSET
    modalities: tuple[Modality, ...] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    input_audio_format: AudioFormat | UnsetType = UNSET
    output_audio_format: AudioFormat | UnsetType = UNSET
    transcription: TranscriptionPatch | UnsetType | None = UNSET
    noise_reduction: Literal["near_field", "far_field"] | UnsetType | None = UNSET
    turn_detection: TurnDetectionPatch | UnsetType | None = UNSET
    tools: tuple[DeclaredTool, ...] | UnsetType = UNSET
    tool_choice: ToolChoice | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    temperature: Temperature | UnsetType = UNSET
    speed: Speed | UnsetType = UNSET
    voice_label: Mapping[str, str] | UnsetType | None = UNSET
    instruction: str | UnsetType | None = UNSET
    max_output_tokens: MaxTokens | UnsetType = UNSET
    extras: Mapping[str, Any] | UnsetType = UNSET


class ResponseOverrides(SessionPatch, frozen=True, kw_only=True):
    """What a ``response.create`` changes for one response.

    ``metadata`` comes back with the response. ``conversation: "none"`` keeps the response out of the history; ``input``
    takes the history's place for it (an empty one: no history).
    """

    conversation: Literal["auto", "none"] = "auto"
    input: tuple[NewItem, ...] | UnsetType = UNSET
    metadata: Mapping[str, Any] | UnsetType | None = UNSET


def can_be_chosen(choice: FunctionChoice | ServerChoice, tools: tuple[DeclaredTool, ...]) -> bool:
    """Whether there may be such a tool; what a tool server has is not known here."""
    if isinstance(choice, ServerChoice):
        return any(
            isinstance(tool, McpServerDeclaration) and tool.server_label == choice.server_label for tool in tools
        )
    return choice.name in {getattr(tool, "name", None) or wire_type(tool) for tool in tools}


def choice_name(choice: FunctionChoice | ServerChoice) -> str:
    """A choice in the words of an error."""
    return (choice.name or f"of {choice.server_label}") if isinstance(choice, ServerChoice) else choice.name


def patched(config: SessionConfig, patch: SessionPatch, defaults: TurnDetection) -> SessionConfig:
    """``config`` with the fields present in ``patch``; objects in it are patched field by field, too.

    Turn detection that was off begins with ``defaults``. Given another ``type``, it keeps what both types have
    (``SHARED_BY_DETECTIONS``) and takes the rest from ``defaults``. ``None`` takes one of the extras away.
    """
    changes = _set_fields(patch)
    vad, transcription = patch.turn_detection, patch.transcription
    if isinstance(vad, TurnDetectionPatch):
        changes["turn_detection"] = _detection(config.turn_detection, vad, defaults)
    if isinstance(transcription, TranscriptionPatch):
        changes["transcription"] = msgspec.structs.replace(
            config.transcription or Transcription(), **_set_fields(transcription)
        )
    if "extras" in changes:
        merged = {**config.extras, **changes["extras"]}
        changes["extras"] = {name: value for name, value in merged.items() if value is not None}
    return msgspec.structs.replace(config, **changes)


def _detection(current: TurnDetection | None, patch: TurnDetectionPatch, defaults: TurnDetection) -> TurnDetection:
    if current is None:
        current = defaults
    elif patch.type not in (UNSET, current.type):
        shared = {name: getattr(current, name) for name in SHARED_BY_DETECTIONS}
        current = msgspec.structs.replace(defaults, **shared)
    changes = _set_fields(patch)
    if current.interruption is not None and isinstance(patch.interruption, Interruption):
        changes["interruption"] = _interruption(current.interruption, patch.interruption)
    return msgspec.structs.replace(current, **changes)


def _interruption(current: Interruption, patch: Interruption) -> Interruption:
    changes = _set_fields(patch)
    if isinstance(current.ignore_words, dict) and isinstance(patch.ignore_words, dict):
        changes["ignore_words"] = {**current.ignore_words, **patch.ignore_words}
    return msgspec.structs.replace(current, **changes)


def _set_fields(patch: SessionPatch | TurnDetectionPatch | TranscriptionPatch | Interruption) -> dict[str, Any]:
    """The fields of the session that are present in ``patch``."""
    names = SessionPatch.__struct_fields__ if isinstance(patch, SessionPatch) else patch.__struct_fields__
    return {name: getattr(patch, name) for name in names if getattr(patch, name) is not UNSET}
