"""Hibari: English in about 15 ms a sentence on one core. The wheel carries the weights of one voice, ``heart``.

Its other voices would be fetched from the internet at first use; they are never asked for. English with other voices is
Kokoro's work (Hibari is distilled from it).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor

from hibari import Hibari
from typing_extensions import override

from vivavoce.audio.tempo import at_tempo
from vivavoce.engines.base import EngineContext, Synthesizer, needs_weights
from vivavoce.engines.hibari.moved_voice import speech_of
from vivavoce.engines.pauses import finish
from vivavoce.engines.phonemes.english import english_g2p
from vivavoce.engines.phonemes.pieces import pieces
from vivavoce.engines.settings import always
from vivavoce.errors import EngineError
from vivavoce.speaking_style import Control, SpeakingStyle
from vivavoce.text.verbalization import verbalize
from vivavoce.types import Language, Samples, SpeakOptions

VOICE = "heart"
MAX_PHONEMES = 400
"""About 27 s of speech, and what Hibari cuts at; but it cuts only after punctuation."""

SEED = 0
"""The model adds noise for breath and fricatives; a fixed seed makes a clause sound the same each time."""


class HibariSynthesizer(Synthesizer):
    """English with one voice. One worker thread: a sentence is shorter than the switch to a second one is worth."""

    rate_hz = 24_000
    controls: frozenset[Control] = frozenset({"pitch"})
    voices: Mapping[str, frozenset[Language]] = {VOICE: frozenset({"en"})}

    def __init__(self, model: Hibari) -> None:
        self._model = model
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="hibari")

    @override
    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """Yield one piece a sentence, each followed by its pause; nothing for text without words.

        Text of any language is read as English. Raises ``EngineError`` for an unknown voice or a failing model.
        """
        if options.voice not in self.voices:
            raise EngineError("hibari", f"there is no voice '{options.voice}'; the bundled one is '{VOICE}'")
        loop = asyncio.get_running_loop()
        for phonemes in await loop.run_in_executor(self._executor, self._phonemes, text):
            piece = await loop.run_in_executor(self._executor, self._clip, phonemes, options.speed, options.style)
            if len(piece):
                yield piece

    def _phonemes(self, text: str) -> list[str]:
        return [
            piece
            for sentence in self._model.phonemize(verbalize(text, "en"))
            for piece in pieces(sentence, MAX_PHONEMES)
        ]

    def _clip(self, phonemes: str, speed: float, style: SpeakingStyle) -> Samples:
        try:
            clip: Samples = (
                speech_of(self._model, phonemes, min(speed, 1.0), style, SEED)
                if style.needs
                else self._model.from_phonemes(phonemes, min(speed, 1.0), SEED)
            )
        except Exception as error:
            raise EngineError("hibari", f"synthesis failed: {error}", retriable=True) from error
        # The network speaks slowly as it is told, but never twice as fast: it makes a sound of one frame at least.
        return finish(at_tempo(clip, self.rate_hz, max(speed, 1.0)), phonemes, self.rate_hz, speed / style.pauses)

    @override
    def close(self) -> None:
        """Stop the worker."""
        self._executor.shutdown(wait=False, cancel_futures=True)


@needs_weights(always())
def load(context: EngineContext) -> HibariSynthesizer:
    """Entry point: the synthesizer, warm. It needs one thread and no weights but its own."""
    model = Hibari(voice=VOICE, threads=1, g2p=english_g2p(british=False))
    model("Ready when you are.")
    return HibariSynthesizer(model)
