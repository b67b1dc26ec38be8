"""How a voice sounds to the verifier and the pitch tracker, once it has spoken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.resample import resample
from vivavoce.engines.base import SpeakerVerifier, VectorSynthesizer
from vivavoce.errors import EngineError
from vivavoce.types import Samples
from vivavoce.voices.measured_voices import SENTENCES, MeasuredVoice, MeasuredVoices
from vivavoce.voices.pitch import pitch_hz


@dataclass(frozen=True, slots=True)
class VoiceTraits:
    """A voice as it was heard: the verifier's direction, and the median pitch where there is one."""

    embedding: NDArray[np.float32]
    pitch_hz: float | None


async def measure_voice(samples: Samples, rate_hz: int, verifier: SpeakerVerifier) -> VoiceTraits:
    """How ``samples`` sound. Raises ``EngineError``."""
    resampled = resample(samples, rate_hz, verifier.rate_hz)
    return VoiceTraits(await verifier.embed(resampled), pitch_hz(resampled, verifier.rate_hz))


async def measure_builtin_voices(
    synthesizer: VectorSynthesizer, verifier: SpeakerVerifier, report: Callable[[MeasuredVoice], None]
) -> MeasuredVoices:
    """Let every published voice read ``SENTENCES`` in English; ``report`` hears of each. Raises ``EngineError``."""
    voices: list[MeasuredVoice] = []
    try:
        for name in synthesizer.builtin_voices:
            speech = [
                await synthesizer.synthesize_offline(sentence, synthesizer.mix({name: 1})) for sentence in SENTENCES
            ]
            traits = await measure_voice(np.concatenate(speech), synthesizer.rate_hz, verifier)
            if traits.pitch_hz is None:
                raise EngineError(synthesizer.network, f"the voice '{name}' has no pitch")
            voices.append(MeasuredVoice(name, traits.embedding, traits.pitch_hz))
            report(voices[-1])
    finally:
        synthesizer.end_offline_synthesis()
    return MeasuredVoices(synthesizer.network, verifier.network, tuple(voices))
