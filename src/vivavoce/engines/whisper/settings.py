"""What can be set about the recogniser: its own table of the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vivavoce.engines.settings import EngineSettings
from vivavoce.types import Language


class WhisperSettings(EngineSettings):
    """Settings of the recogniser.

    ``weights`` is a name of the catalogue, or the path of a folder with a Whisper model for CTranslate2.
    ``languages`` are the ones it tells apart when no hint is given; the first is the answer for an utterance without
    words. ``context_s`` is the least audio the encoder is shown: 30 is what Whisper was trained on; 10 is three times as
    quick at the same error rate; below about 8 it begins to repeat sentences. ``beam_size`` 1 is greedy; 2 makes a tenth
    fewer errors in noise and half as many in repeated words, and costs half as much time again.
    """

    weights: str = "whisper-base"
    languages: tuple[Language, ...] = Field(
        default=("en", "zh", "ja", "ko", "de", "fr", "es", "it", "pt", "nl", "pl", "ru"), min_length=1
    )
    context_s: float = Field(default=10.0, ge=1.0, le=30.0)
    beam_size: int = Field(default=1, ge=1, le=10)
    compute_type: Literal["int8", "int8_float32", "float32"] = "int8"
