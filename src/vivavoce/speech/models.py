"""The names of text-to-speech models, and what a request may ask of each (audio reference, section 1.1).

All of them are spoken by the voices this server has: a name decides about limits and fields, as it does on the platform it
comes from, so that an application finds the rules it was written for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vivavoce.protocol.model_names import NO_ALIASES, model_behind


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """What one family of models takes.

    ``max_characters`` of input; ``max_instruction_characters`` of an instruction; ``speeds`` from and to; ``labels`` says
    whether it takes a ``voice_label``, ``stage_directions`` whether text in parentheses is an instruction and not spoken.
    """

    max_characters: int = 1000
    max_instruction_characters: int = 200
    speeds: tuple[float, float] = (0.5, 2.0)
    labels: bool = True
    stage_directions: bool = False


_STEP_TTS = SpeechModel()
_STEPAUDIO_25 = SpeechModel(labels=False, stage_directions=True)
_STEPAUDIO_3 = SpeechModel(max_instruction_characters=500, labels=False, stage_directions=True)
_OPENAI = SpeechModel(max_characters=4096, max_instruction_characters=4096, speeds=(0.25, 4.0))
_KOKORO = SpeechModel(max_characters=10_000, max_instruction_characters=4096, speeds=(0.25, 4.0))

SPEECH_MODELS: Mapping[str, SpeechModel] = {
    "step-tts-2": _STEP_TTS,
    "step-tts-mini": _STEP_TTS,
    "step-tts-vivid": _STEP_TTS,
    "stepaudio-2.5-tts": _STEPAUDIO_25,
    "stepaudio-3-tts": _STEPAUDIO_3,
    "tts-1": _OPENAI,
    "tts-1-hd": _OPENAI,
    "gpt-4o-mini-tts": _OPENAI,
    "kokoro": _KOKORO,
}
"""By the names ``MODEL_NAMES`` leads to."""


def speech_model(name: str, aliases: Mapping[str, str] = NO_ALIASES) -> SpeechModel:
    """The model that serves this name; ``aliases`` are the configured ones. Raises ``ClientError`` (``model_not_found``)."""
    return SPEECH_MODELS[model_behind(name, "speech", aliases)]
