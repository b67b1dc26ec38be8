"""How a voice sounds to the verifier and the pitch tracker, once it has spoken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.resample import resample
from vivavoce.engines.base import SpeakerVerifier, VectorSpeaker
from vivavoce.errors import EngineError
from vivavoce.types import Samples
from vivavoce.voices.pitch import pitch_hz
from vivavoce.voices.stock import SENTENCES, StockTable, StockVoice


@dataclass(frozen=True, slots=True)
class Heard:
    """A voice as it was heard: the verifier's direction, and the median pitch where there is one."""

    embedding: NDArray[np.float32]
    pitch_hz: float | None


async def heard(samples: Samples, rate_hz: int, verifier: SpeakerVerifier) -> Heard:
    """How ``samples`` sound. Raises ``EngineError``."""
    at_its_rate = resample(samples, rate_hz, verifier.rate_hz)
    return Heard(await verifier.embed(at_its_rate), pitch_hz(at_its_rate, verifier.rate_hz))


async def measure_stock(
    speaker: VectorSpeaker, verifier: SpeakerVerifier, report: Callable[[StockVoice], None]
) -> StockTable:
    """Let every published voice read ``SENTENCES`` in English; ``report`` hears of each. Raises ``EngineError``."""
    voices: list[StockVoice] = []
    try:
        for name in speaker.stock:
            speech = [await speaker.rehearse(sentence, speaker.mix({name: 1})) for sentence in SENTENCES]
            found = await heard(np.concatenate(speech), speaker.rate_hz, verifier)
            if found.pitch_hz is None:
                raise EngineError(speaker.network, f"the voice '{name}' has no pitch")
            voices.append(StockVoice(name, found.embedding, found.pitch_hz))
            report(voices[-1])
    finally:
        speaker.end_rehearsals()
    return StockTable(speaker.network, verifier.network, tuple(voices))
