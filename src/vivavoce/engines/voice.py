"""The built-in perceiver: prosody, language, emotion and gender from what the recogniser has computed anyway.

It has no network of its own but linear heads of some kilobytes (``perception/heads/README.md`` says what they were trained on
and how far they can be trusted), and it keeps silent below the scores they were calibrated with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from typing_extensions import override

import vivavoce.perception
from vivavoce.engines.base import EngineContext, Perceiver, needs_weights
from vivavoce.engines.settings import EngineSettings
from vivavoce.errors import EngineError
from vivavoce.perception.head import Head, load_head, pooled
from vivavoce.perception.prosody import measure
from vivavoce.types import Samples
from vivavoce.voice_facts import Emotion, Perceived, PerceiveOptions, SpeechEncoding

HEADS = Path(vivavoce.perception.__file__).parent / "heads"

MIN_SPEECH_S = 0.8
"""Less speech than this says nothing of an emotion, nor of who speaks."""

MIN_SNR_DB = 8.0
"""In more noise no emotion is told: the head was tested down to 10 dB."""


class VoiceSettings(EngineSettings):
    """``engines.settings.voice``. ``heads``: a folder with ``emotion.npz`` and ``gender.npz`` of one's own."""

    heads: Path = HEADS


class VoicePerceiver(Perceiver):
    """Measures and classifies on one thread of its own, about 10 ms an utterance."""

    def __init__(self, emotion: Head, gender: Head) -> None:
        if emotion.network != gender.network:
            raise EngineError(
                "voice", f"its heads belong to {emotion.network} and {gender.network}, not to one network"
            )
        self.network: str | None = emotion.network
        self._emotion, self._gender = emotion, gender
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="perception")

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        """What is heard. Without an encoding of the heads' network: what can be measured."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._perceive, samples, rate_hz, encoding, options)
        except RuntimeError as error:
            raise EngineError("voice", "is closed") from error

    def _perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        measures = measure(samples, rate_hz)
        language = encoding.language if encoding is not None else None
        emotion: Emotion | None = None
        female: float | None = None
        known = encoding is not None and encoding.network == self.network
        if encoding is not None and known and measures is not None and measures.speech_s >= MIN_SPEECH_S:
            features = pooled(encoding.states, encoding.log_mel)
            if features is not None and options.emotion and measures.snr_db >= MIN_SNR_DB:
                emotion = _emotion(self._emotion, features)
            if features is not None and options.gender:
                female = self._gender.scores(features)["female"]
        return Perceived(prosody=measures, language=language, emotion=emotion, female=female)

    @override
    def close(self) -> None:
        """Stop the thread after the utterance under way."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _emotion(head: Head, features: Any) -> Emotion | None:
    scores = head.scores(features)
    label = max(scores, key=lambda name: scores[name])
    if scores[label] < head.least:
        return None
    return Emotion(label=label, score=scores[label], scores=scores, source=head.name)  # type: ignore[arg-type]


def _weights(settings: Mapping[str, Any]) -> tuple[str, ...]:
    VoiceSettings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> VoicePerceiver:
    """Entry point. Raises ``EngineError`` for heads that cannot be read."""
    folder = VoiceSettings.model_validate(context.settings).heads
    try:
        return VoicePerceiver(load_head(folder / "emotion.npz"), load_head(folder / "gender.npz"))
    except (OSError, ValueError, KeyError) as error:
        raise EngineError("voice", f"cannot read its heads in {folder}: {error}") from error
