"""How the families of models that hear want to be asked, and what can be set about one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from pydantic import Field, model_validator

from vivavoce.engines.base import SpeechOutput
from vivavoce.engines.openai.chat_settings import ChatSettings
from vivavoce.types import GenerationFeature

FamilyName: TypeAlias = Literal[
    "openai", "stepfun", "qwen", "vllm-omni", "step-audio-2", "step-audio-2-think", "step-audio-r1"
]

_EOT_ID = 151665
"""``<|EOT|>``, with which Step-Audio's turns end."""


@dataclass(frozen=True, slots=True)
class Family:
    """The wire of one family.

    ``prefix`` stands before the base64 of a clip, and ``format`` says beside it that it is wav; a clip lasts ``clip_s`` at
    most. ``speech`` is what it can answer in, ``audio_format`` what is asked for then; ``voice`` the one that is asked for
    where nothing is set, ``None``: the one the client named. ``opening`` begins a spoken turn of the assistant.
    ``thinks_first``: it thinks in a request of its own. ``needs_sound``: a request without sound in or out is refused.
    ``text_parts``: results of tools are parts. ``defaults`` are settings that take the place of the usual ones.
    """

    prefix: str = ""
    format: bool = True
    clip_s: float | None = None
    speech: SpeechOutput = "none"
    audio_format: str | None = None
    voice: str | None = None
    opening: str = ""
    thinks_first: bool = False
    needs_sound: bool = False
    text_parts: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)


def _step_audio(**body: Any) -> dict[str, Any]:
    """Settings of the open models: their roles' names, and vLLM's flags (chat reference, 9.1)."""
    return {
        "roles": {"user": "human", "tool": "input"},
        "continuation": "flags",
        "thinking": "off",
        "body": {"skip_special_tokens": False, "repetition_penalty": 1.05, "parallel_tool_calls": False, **body},
    }


FAMILIES: Mapping[FamilyName, Family] = MappingProxyType(
    {
        # gpt-audio (OpenAI: "Audio and speech"): bare base64; PCM16 at 24 kHz is the one format that streams.
        "openai": Family(
            speech="sound",
            audio_format="pcm16",
            voice="alloy",
            needs_sound=True,
            defaults={"max_tokens_field": "max_completion_tokens", "continuation": "request"},
        ),
        # StepFun's platform (chat reference, 3 to 5): a data URL and no format; its voices are called what ours are.
        "stepfun": Family(
            prefix="data:audio/wav;base64,",
            format=False,
            clip_s=25.0,
            speech="sound",
            audio_format="pcm",
            defaults={"continuation": "request"},
        ),
        # Qwen-Omni at Alibaba's Model Studio: a data URL without a type; sound streams as PCM16 whatever is asked for.
        "qwen": Family(
            prefix="data:;base64,",
            speech="sound",
            audio_format="wav",
            voice="Cherry",
            defaults={"continuation": "request"},
        ),
        # Qwen-Omni on vLLM-Omni: sound comes as the content of chunks of the modality "audio", each a wav file.
        "vllm-omni": Family(speech="sound"),
        # StepFun's vLLM with its audio and tool parsers (chat reference, 9).
        "step-audio-2": Family(
            clip_s=25.0, speech="tokens", opening="<tts_start>", text_parts=True, defaults=_step_audio()
        ),
        "step-audio-2-think": Family(
            clip_s=25.0,
            speech="tokens",
            opening="<tts_start>",
            thinks_first=True,
            text_parts=True,
            defaults={**_step_audio(), "thinking_tokens": 1024},
        ),
        # R1 writes only; its chat template opens the thoughts (models reference, 3.3).
        "step-audio-r1": Family(
            clip_s=25.0,
            text_parts=True,
            defaults={
                **_step_audio(stop_token_ids=[_EOT_ID]),
                "thinking": "open",
                "thinking_tokens": 4096,
                "first_s": 60.0,
            },
        ),
    }
)


class AudioChatSettings(ChatSettings):
    """Settings of one model that hears, beside those of a language model, whose defaults are the family's.

    ``audio_turns`` of the user's newest turns are sent as sound, those before as transcripts: 1 is the turn that is answered.
    ``speech``: it answers in sound of its own where its family can; else our speakers read what it writes. ``voices`` maps our
    voices to its own, ``voice`` is the one for all others. ``rate_hz`` is that of headerless sound it sends.
    """

    family: FamilyName = "openai"
    audio_turns: int = Field(default=1, ge=1, le=30)
    speech: bool = True
    voice: str | None = None
    voices: Mapping[str, str] = Field(default_factory=dict)
    rate_hz: int = Field(default=24_000, ge=8000, le=48_000)
    features: frozenset[GenerationFeature] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _with_the_defaults_of_its_family(cls, values: Any) -> Any:
        """What is set of ``body`` is set beside the family's."""
        if not isinstance(values, Mapping):
            return values
        family = FAMILIES.get(values.get("family", "openai"))
        defaults = family.defaults if family is not None else {}
        merged = {**defaults, **values}
        if isinstance(values.get("body"), Mapping):
            merged["body"] = {**defaults.get("body", {}), **values["body"]}
        return merged

    @property
    def wire(self) -> Family:
        """How its family is asked."""
        return FAMILIES[self.family]

    @property
    def speaks(self) -> SpeechOutput:
        """What it answers in that is heard."""
        return self.wire.speech if self.speech else "none"
