"""SenseVoice as the perceiver: the language, the emotion and the sound it tags an utterance with.

[engines]
recognizer = "sensevoice"
perceiver = "sensevoice_tags"

[perception]
patience_ms = 60

Where SenseVoice is the recogniser, its tags come with the words and nothing is computed twice. Beside another one it listens by
itself, in a process that starts with the first utterance it is needed for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from typing_extensions import override

from vivavoce.engines.base import EngineContext, Perceiver, needs_weights
from vivavoce.engines.sherpa.hearing import SENSE_VOICE
from vivavoce.engines.sherpa.recognizer import (
    RATE_HZ,
    SILENT_PEAK,
    HearingProcess,
    SenseVoiceSettings,
    encoding_of,
    open_process,
    require_library,
)
from vivavoce.errors import EngineError
from vivavoce.perception.prosody import measure
from vivavoce.types import Samples
from vivavoce.voice_facts import Emotion, EmotionLabel, Perceived, PerceiveOptions, Sound, SpeechEncoding

LONGEST_S = 30
"""Of an utterance: longer ones are judged by their beginning."""

EMOTIONS: Mapping[str, EmotionLabel] = {"ANGRY": "angry", "HAPPY": "happy", "NEUTRAL": "neutral", "SAD": "sad"}
"""Its labels that have one of ours; it also has FEARFUL, DISGUSTED, SURPRISED and EMO_UNKNOWN."""

SOUNDS: Mapping[str, str] = {
    "Applause": "applause", "BGM": "music", "Breath": "breath", "Cough": "cough", "Cry": "crying",
    "Laughter": "laughter", "Sneeze": "sneeze",
}  # fmt: skip
"""Its labels for what sounds besides speech."""


class TagsSettings(SenseVoiceSettings):
    """``engines.settings.sensevoice_tags``.

    ``score``: what an emotion or a sound counts as, because SenseVoice tells its label and no score. The default is too low for
    the language model to be told of an emotion; clients are. ``alone``: it listens from the utterance's start by itself,
    beside a recogniser that has nothing to show of what it hears, such as one elsewhere.
    """

    score: float = Field(default=0.6, ge=0.0, le=1.0)
    alone: bool = False


class SenseVoicePerceiver(Perceiver):
    """Reads the tags of the recogniser's SenseVoice, or listens with one of its own."""

    def __init__(self, process: HearingProcess, score: float, *, alone: bool) -> None:
        self.network = None if alone else SENSE_VOICE.name
        self._process = process
        self._score = score

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        """What is heard, and what can be measured."""
        measuring = asyncio.create_task(asyncio.to_thread(measure, samples, rate_hz))
        try:
            if encoding is None or encoding.network != SENSE_VOICE.name:
                encoding = await self._listen(samples, rate_hz)
            measures = await measuring
        finally:
            measuring.cancel()
        if encoding is None:
            return Perceived(prosody=measures)
        return Perceived(
            prosody=measures,
            language=encoding.language,
            emotion=self._emotion(encoding.tags.get("emotion", "")) if options.emotion else None,
            sounds=self._sounds(encoding.tags.get("event", ""), len(samples) * 1000 // rate_hz),
        )

    async def _listen(self, samples: Samples, rate_hz: int) -> SpeechEncoding | None:
        if rate_hz != RATE_HZ:
            raise EngineError("sensevoice_tags", f"hears at {RATE_HZ} Hz, not at {rate_hz} Hz")
        beginning = samples[: LONGEST_S * RATE_HZ]
        if not len(beginning) or np.abs(beginning).max() < SILENT_PEAK:
            return None
        return encoding_of(await self._process.heard(beginning))

    def _emotion(self, tag: str) -> Emotion | None:
        label = EMOTIONS.get(tag)
        if label is None:
            return None
        return Emotion(label=label, score=self._score, scores={label: self._score}, source="sensevoice-small")

    def _sounds(self, tag: str, length_ms: int) -> tuple[Sound, ...]:
        if tag not in SOUNDS:
            return ()
        return (Sound(label=SOUNDS[tag], score=self._score, start_ms=0, end_ms=length_ms),)

    @override
    def close(self) -> None:
        """End the process, if there is one."""
        self._process.close()


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    require_library(SENSE_VOICE)
    folder: Path | None = TagsSettings.model_validate(settings).folder
    return [SENSE_VOICE.weights] if folder is None else []


@needs_weights(_weights)
def load(context: EngineContext) -> SenseVoicePerceiver:
    """Entry point. Its process starts at once if it listens ``alone``, else when it is needed."""
    settings = TagsSettings.model_validate(context.settings)
    child_settings = SenseVoiceSettings(**settings.model_dump(exclude={"score", "alone"}))
    process = open_process(SENSE_VOICE, context, child_settings)
    if settings.alone:
        try:
            process.start()
        except EngineError:
            process.close()
            raise
    return SenseVoicePerceiver(process, settings.score, alone=settings.alone)
