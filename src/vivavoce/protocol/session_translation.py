"""What the session objects of the dialects share: where the canonical fields are, and how they are read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta

from vivavoce.protocol.audio_formats import format_name, read_format
from vivavoce.protocol.item_translation import read_items
from vivavoce.protocol.json_fields import Field, Json, Reader, an_object, checked, free_form, of_type
from vivavoce.protocol.languages import requested_language
from vivavoce.protocol.session_config import (
    MaxTokens,
    Modality,
    SessionConfig,
    SessionKind,
    Speed,
    Temperature,
    Transcription,
    TranscriptionPatch,
)
from vivavoce.protocol.tools import read_ga_tools, read_tool_choice, read_tools
from vivavoce.protocol.turn_detection import read_turn_detection
from vivavoce.speaking.delivery import KINDS, delivery

MAX_INSTRUCTION_CHARACTERS = 4096

Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
"""OpenAI's limits of a response's metadata (OpenAI differences, 9.3)."""


def read_modalities(value: Any, param: str) -> tuple[Modality, ...]:
    """What replies are made of. Speech always comes with its words, so ``audio`` alone means both."""
    modalities: tuple[Modality, ...] = checked(value, Annotated[tuple[Modality, ...], Meta(min_length=1)], param)
    return ("text", "audio") if "audio" in modalities else ("text",)


def read_max_tokens(value: Any, param: str) -> MaxTokens:
    """A number or ``inf``; StepFun's reference shows ``"4096"`` and ``4096``."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        value = int(value)
    return checked(value, MaxTokens, param)


def read_noise_reduction(value: Any, param: str) -> Literal["near_field", "far_field"]:
    """The microphone's place, out of ``{type}``."""
    return checked(an_object(value, param).get("type"), Literal["near_field", "far_field"], f"{param}.type")


def read_voice(value: Any, param: str) -> str:
    """A voice's name, or the object ``{id}``."""
    if isinstance(value, dict):
        return checked(value.get("id"), str, f"{param}.id")
    return checked(value, str, param)


def read_transcription(value: Any, param: str) -> TranscriptionPatch:
    """What is said about transcription. Raises ``ClientError`` also for a language nobody knows."""
    patch: TranscriptionPatch = checked(value, TranscriptionPatch, param)
    if patch.language is not UNSET:
        requested_language(patch.language, f"{param}.language")
    return patch


def read_voice_label(value: Any, param: str) -> dict[str, str]:
    """One of ``language``, ``emotion`` and ``style``. Raises ``ClientError`` for a label there is not."""
    label: dict[str, str | None] = checked(value, dict[str, str | None], param)
    delivery(label, None, param=param)
    return {kind: str(name) for kind, name in label.items() if kind in KINDS and name}


def read_instruction(value: Any, param: str) -> str:
    """How to say it, in words."""
    return checked(value, Annotated[str, Meta(max_length=MAX_INSTRUCTION_CHARACTERS)], param)


FLAT_FIELDS: Mapping[str, Field] = {
    "modalities": Field("modalities", read_modalities),
    "instructions": Field("instructions", of_type(str)),
    "voice": Field("voice", read_voice),
    "input_audio_format": Field("input_audio_format", read_format),
    "output_audio_format": Field("output_audio_format", read_format),
    "transcription": Field("input_audio_transcription", read_transcription, nullable=True),
    "noise_reduction": Field("input_audio_noise_reduction", read_noise_reduction, nullable=True),
    "turn_detection": Field("turn_detection", read_turn_detection, nullable=True),
    "tools": Field("tools", read_tools),
    "tool_choice": Field("tool_choice", read_tool_choice),
    "parallel_tool_calls": Field("parallel_tool_calls", of_type(bool)),
    "temperature": Field("temperature", of_type(Temperature)),
    "speed": Field("speed", of_type(Speed)),
    "voice_label": Field("voice_label", read_voice_label, nullable=True),
    "instruction": Field("instruction", read_instruction, nullable=True),
    "max_output_tokens": Field("max_response_output_tokens", read_max_tokens, also=("max_output_tokens",)),
}
"""The flat session of OpenAI's beta, from which StepFun's comes."""

NESTED_RESPONSE_FIELDS: Mapping[str, Field] = {
    "modalities": Field("output_modalities", read_modalities),
    "instructions": FLAT_FIELDS["instructions"],
    "voice": Field("audio.output.voice", read_voice, also=("audio.voice",)),
    "output_audio_format": Field("audio.output.format", read_format),
    "speed": Field("audio.output.speed", of_type(Speed), also=("audio.speed",)),
    "voice_label": Field("audio.output.voice_label", read_voice_label, nullable=True, also=("audio.voice_label",)),
    "instruction": Field("audio.output.instruction", read_instruction, nullable=True, also=("audio.instruction",)),
    "tools": Field("tools", read_ga_tools),
    "tool_choice": FLAT_FIELDS["tool_choice"],
    "parallel_tool_calls": FLAT_FIELDS["parallel_tool_calls"],
    "max_output_tokens": Field("max_output_tokens", read_max_tokens),
}
"""What GA's responses share with its sessions."""

NESTED_FIELDS: Mapping[str, Field] = {
    "kind": Field("type", of_type(SessionKind)),
    **NESTED_RESPONSE_FIELDS,
    "input_audio_format": Field("audio.input.format", read_format),
    "transcription": Field(
        "audio.input.transcription", read_transcription, nullable=True, also=("audio.transcription",)
    ),
    "noise_reduction": Field(
        "audio.input.noise_reduction", read_noise_reduction, nullable=True, also=("audio.noise_reduction",)
    ),
    "turn_detection": Field(
        "audio.input.turn_detection", read_turn_detection, nullable=True, also=("audio.turn_detection",)
    ),
}
"""The nested session of OpenAI GA. What stands one level too high, in ``audio`` itself, is understood as well."""


def _fields_placed_differently(fields: Mapping[str, Field], own: Mapping[str, Field]) -> Mapping[str, Field]:
    """Those that stand elsewhere than ``own`` has them."""
    return {name: field for name, field in fields.items() if name not in own or field.path != own[name].path}


NESTED_ONLY_FIELDS = _fields_placed_differently(NESTED_FIELDS, FLAT_FIELDS)
NESTED_ONLY_RESPONSE_FIELDS = _fields_placed_differently(NESTED_RESPONSE_FIELDS, FLAT_FIELDS)
FLAT_ONLY_FIELDS = _fields_placed_differently(FLAT_FIELDS, NESTED_FIELDS)
"""What a dialect understands in the other's place: clients that were moved from one to the other forget a field or two."""

EXTRAS = ("include", "tracing", "prompt", "truncation", "reasoning")
"""Session fields that are only echoed."""


def response_fields(read_metadata: Reader) -> Mapping[str, Field]:
    """What a ``response.create`` has beside the session's fields."""
    return {
        "conversation": Field("conversation", of_type(Literal["auto", "none"])),
        "input": Field("input", read_items),
        "metadata": Field("metadata", read_metadata, nullable=True),
    }


def read_extras(source: Json, param: str, names: tuple[str, ...] = EXTRAS) -> Json:
    """``{"extras": …}`` with the fields that are only echoed, if there are any; ``null`` clears one."""
    extras = {name: free_form(source[name], f"{param}.{name}") for name in names if name in source}
    return {"extras": extras} if extras else {}


def flat_session(config: SessionConfig) -> Json:
    """The fields that StepFun and OpenAI's beta write alike."""
    shaped: Json = {
        "modalities": list(config.modalities),
        "instructions": config.instructions,
        "voice": config.voice,
        "input_audio_format": format_name(config.input_audio_format),
        "output_audio_format": format_name(config.output_audio_format),
        "input_audio_transcription": transcription(config.transcription),
        "input_audio_noise_reduction": noise_reduction(config),
        "temperature": config.temperature,
        "speed": config.speed,
        "max_response_output_tokens": config.max_output_tokens,
        **spoken_so(config),
    }
    if not config.parallel_tool_calls:
        shaped["parallel_tool_calls"] = False
    return shaped


def transcription(settings: Transcription | None) -> Json | None:
    """The transcription a client asked for; its hints only where it gave them."""
    if settings is None:
        return None
    hints = {"language": settings.language, "prompt": settings.prompt}
    return {"model": settings.model, **{name: hint for name, hint in hints.items() if hint is not None}}


def spoken_so(config: SessionConfig) -> Json:
    """How replies are spoken, where the client has said so."""
    asked = {"voice_label": config.voice_label, "instruction": config.instruction}
    return {name: value for name, value in asked.items() if value}


def noise_reduction(config: SessionConfig) -> Json | None:
    """The microphone's place as ``{type}``."""
    return None if config.noise_reduction is None else {"type": config.noise_reduction}
