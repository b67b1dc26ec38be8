"""Recognition that tells how long an utterance was."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import Recognizer
from vivavoce.engines.fake.failure import FAILURE
from vivavoce.engines.fake.signals import LOUD
from vivavoce.errors import EngineError
from vivavoce.types import Confidence, Samples, Token, TranscribeOptions, Transcript, TranscriptDelta, Word


class FakeRecognizer(Recognizer):
    """Says how long the utterance was."""

    rate_hz = 16_000

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """The duration of the loud part in words; nothing for silence. A prompt with ``FAILURE`` in it fails."""
        await asyncio.sleep(0)
        if options.prompt is not None and FAILURE in options.prompt:
            raise EngineError("fake", "was asked to fail")
        loud = np.flatnonzero(np.abs(samples) > LOUD)
        duration_ms = round((loud[-1] - loud[0]) / self.rate_hz * 10) * 100 if len(loud) else 0
        language = "en" if options.translate else options.language or "en"
        if not duration_ms:
            yield Transcript("", language)
            return
        text = f"I heard {duration_ms} milliseconds."
        if not options.words:
            yield Transcript(text, language)
            return
        yield Transcript(
            text,
            language,
            words=_evenly(text, int(loud[0]) * 1000 // self.rate_hz, int(loud[-1]) * 1000 // self.rate_hz),
            tokens=tuple(
                Token(number, word.encode(), -0.5) for number, word in enumerate(re.findall(r" ?[^ ]+", text))
            ),
            confidence=Confidence(log_probability=-0.5, no_speech=0.0, compression=1.0),
        )

    @override
    def close(self) -> None:
        pass


def _evenly(text: str, start_ms: int, end_ms: int) -> tuple[Word, ...]:
    """The words of ``text``, each for as long as the others."""
    words = re.findall(r" ?[^ ]+", text)
    edges = [start_ms + (end_ms - start_ms) * number // len(words) for number in range(len(words) + 1)]
    return tuple(Word(word, *edges[number : number + 2]) for number, word in enumerate(words))
