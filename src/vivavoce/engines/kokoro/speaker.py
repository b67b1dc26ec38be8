"""The Kokoro speaker: text → phonemes of its language → pieces → speech.

Kokoro v1.0 also has French, Spanish, Italian, Portuguese and Hindi voices, but their phonemes come from espeak, which is
GPL-3 and not a dependency: those languages are not spoken here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TypeAlias

import onnxruntime as ort

from vivavoce.engines.base import EngineContext
from vivavoce.engines.kokoro.chinese import Chinese
from vivavoce.engines.kokoro.english import English
from vivavoce.engines.kokoro.japanese import Japanese
from vivavoce.engines.kokoro.model import BLEND, RATE_HZ, KokoroModel
from vivavoce.engines.kokoro.pieces import PIECE_PHONEMES, pieces
from vivavoce.engines.pauses import finish
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples

Phonemizer: TypeAlias = Callable[[str], str]

LANGUAGES: Mapping[str, Language] = MappingProxyType({"a": "en", "b": "en", "j": "ja", "z": "zh"})
"""First letter of a voice's name → its language (``a`` American, ``b`` British English)."""

MAX_THREADS = 2
"""More threads make the language model wait and shorten a clause of this small network little."""

SHORTEST_PIECE = 24


class KokoroSpeaker:
    """Speaks with every voice whose language has a phonemizer. One worker: clauses of all sessions take turns."""

    rate_hz = RATE_HZ

    def __init__(self, model: KokoroModel, phonemizers: Mapping[str, Phonemizer]) -> None:
        """``phonemizers``: first letter of a voice's name → text to phonemes."""
        self._model = model
        self._phonemizers = phonemizers
        self.voices: Mapping[str, frozenset[Language]] = {
            name: frozenset({LANGUAGES[name[0]]}) for name in model.voice_names if name[0] in phonemizers
        }
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="kokoro")

    async def speak(
        self, text: str, *, voice: str, language: Language, speed: float = 1.0
    ) -> AsyncGenerator[Samples, None]:
        """Yield the pieces of ``text`` as each is ready; nothing for text without words.

        A clause takes half a second, so closing the generator stops the network in the middle of it. ``voice`` is one of
        ``voices`` or a blend of two of one language (``zf_xiaoni+zf_xiaoyi``). Raises ``EngineError`` for a voice that
        does not exist or does not speak ``language``.
        """
        phonemize = self._phonemizer(voice, language)
        loop = asyncio.get_running_loop()
        phonemes = await loop.run_in_executor(self._executor, phonemize, text)
        limit = max(SHORTEST_PIECE, min(PIECE_PHONEMES, int(PIECE_PHONEMES * speed)))
        run = ort.RunOptions()
        try:
            for piece in pieces(phonemes, limit):
                samples = await loop.run_in_executor(self._executor, self._clip, piece, voice, speed, run)
                if len(samples):
                    yield samples
        finally:
            run.terminate = True

    def _phonemizer(self, voice: str, language: Language) -> Phonemizer:
        for part in voice.split(BLEND):
            if language not in self.voices.get(part, frozenset()):
                raise EngineError("kokoro", f"there is no voice '{part}' for language '{language}'")
        return self._phonemizers[voice[0]]

    def _clip(self, phonemes: str, voice: str, speed: float, run: ort.RunOptions | None = None) -> Samples:
        return finish(self._model.synthesize(phonemes, voice, speed, run), phonemes, RATE_HZ, speed)

    def warm_up(self) -> None:
        """Run every phonemizer and the network once: the first call of each is slower than the others."""
        for letter, phonemize in self._phonemizers.items():
            voice = next((name for name in self.voices if name[0] == letter), None)
            if voice:
                self._clip(phonemize("OK 好。"), voice, 1.0)

    def close(self) -> None:
        """Stop the worker."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def load(context: EngineContext) -> KokoroSpeaker:
    """Entry point: the speaker, warm. Raises ``WeightsError``."""
    threads = max(1, min(MAX_THREADS, context.threads))
    model = KokoroModel(context.weights("kokoro-v1.0"), context.weights("kokoro-voices"), threads)
    american = English()
    phonemizers: dict[str, Phonemizer] = {
        "a": american,
        "b": English(british=True),
        "j": Japanese(american),
        "z": Chinese(american),
    }
    speaker = KokoroSpeaker(model, phonemizers)
    speaker.warm_up()
    return speaker
