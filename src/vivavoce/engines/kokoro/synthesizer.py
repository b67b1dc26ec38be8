"""The Kokoro speaker: text → phonemes of its language → pieces → speech.

Kokoro v1.0 also has French, Spanish, Italian, Portuguese and Hindi voices, but their phonemes come from espeak, which is
GPL-3 and not a dependency: those languages are not spoken here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from typing_extensions import override

from vivavoce.audio.tempo import at_tempo
from vivavoce.engines.base import EngineContext, VectorSynthesizer, needs_weights
from vivavoce.engines.kokoro.chinese import Chinese
from vivavoce.engines.kokoro.japanese import Japanese
from vivavoce.engines.kokoro.model import RATE_HZ, KokoroModel
from vivavoce.engines.kokoro.offline_synthesis import OfflineSynthesis
from vivavoce.engines.kokoro.styles import LANGUAGES, Pack, Styles, read_builtin_voices
from vivavoce.engines.pauses import finish
from vivavoce.engines.phonemes.english import English
from vivavoce.engines.phonemes.pieces import PIECE_PHONEMES, pieces
from vivavoce.engines.safe_phonemizer import Phonemizer, SafePhonemizer
from vivavoce.engines.settings import always
from vivavoce.speaking_style import Control
from vivavoce.text import wfst_normalization
from vivavoce.types import Language, Samples, Sex, SpeakOptions

MODEL, VOICES = "kokoro-v1.0", "kokoro-voices"
"""The weights, as the catalogue names them."""

MAX_THREADS = 2
"""More threads make the language model wait and shorten a clause of this small network little."""

SHORTEST_PIECE = 24


def own_speed(speed: float) -> float:
    """The speed the network is asked for; beyond 1 its speech is pressed, at the same pitch.

    It rounds the length of every sound to whole frames, and runs words together. Of four Japanese sentences at 1.25 and 1.5 the
    recogniser got 59 and 49 % wrong when the network spoke them at 1.5, and 20 and 20 % when its usual speech was pressed; of
    four Chinese ones 26 and 31 %, and 8 and 13 %.
    """
    return min(speed, 1.0)


class KokoroSynthesizer(VectorSynthesizer):
    """Speaks with every voice whose language has a phonemizer. One worker: clauses of all sessions take turns."""

    rate_hz = RATE_HZ
    controls: frozenset[Control] = frozenset({"pitch"})

    network = "kokoro-v1.0"

    def __init__(
        self, model: KokoroModel, styles: Styles, phonemizers: Mapping[str, Phonemizer], offline: OfflineSynthesis
    ) -> None:
        """``phonemizers``: first letter of a voice's name → text to phonemes."""
        self._offline = offline
        self._model = model
        self._styles = styles
        self._phonemizers = phonemizers
        self._voices: Mapping[str, frozenset[Language]] = {
            name: frozenset({LANGUAGES[name[0]]}) for name in styles.builtin_voices if name[0] in phonemizers
        }
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="kokoro")

    @property
    @override
    def voices(self) -> Mapping[str, frozenset[Language]]:
        return self._voices

    @property
    @override
    def builtin_voices(self) -> Mapping[str, Pack]:
        """The vectors of the published voices, of all languages: ``float32[510, 256]`` each."""
        return self._styles.builtin_voices

    @override
    def mix(self, recipe: Mapping[str, int]) -> NDArray[np.float16]:
        """So many parts of each voice: ``float16[510, 256]``. Raises ``EngineError``."""
        return self._styles.pack("+".join(f"{name}:{parts}" for name, parts in recipe.items())).astype(np.float16)

    @override
    def add_voice(self, name: str, vectors: NDArray[np.float16], sex: Sex) -> frozenset[Language]:
        """Make ``name`` a voice (``Styles.add``). Raises ``EngineError``."""
        self._styles.add(name, vectors, sex)
        return frozenset(LANGUAGES[letter] for letter in self._phonemizers)

    @override
    def remove_voice(self, name: str) -> None:
        """Forget a voice that was added."""
        self._styles.remove(name)

    @override
    async def synthesize_offline(self, text: str, vectors: NDArray[np.float16]) -> Samples:
        """English ``text`` with these vectors, ``float32[n]``, by one thread of the lowest priority. Raises ``EngineError``."""
        loop = asyncio.get_running_loop()
        phonemes = await loop.run_in_executor(self._executor, self._phonemizers["a"], text)
        return await self._offline.speak(pieces(phonemes), vectors)

    @override
    def end_offline_synthesis(self) -> None:
        """Free the second network, which only offline synthesis uses (250 MB)."""
        self._offline.end()

    @override
    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """Yield the pieces of ``text`` as each is ready; nothing for text without words.

        A clause takes half a second, so closing the generator stops the network in the middle of it. ``options.voice`` is one
        of ``voices``, a blend of them (``Styles``), or a name that was added. Raises ``EngineError`` for a voice that does
        not exist or does not speak the language.
        """
        letter = self._styles.letter(options.voice, options.language)
        phonemize = self._phonemizers[letter]
        loop = asyncio.get_running_loop()
        phonemes = await loop.run_in_executor(self._executor, phonemize, text)
        limit = max(SHORTEST_PIECE, int(PIECE_PHONEMES * own_speed(options.speed)))
        run = ort.RunOptions()
        try:
            for piece in pieces(phonemes, limit):
                samples = await loop.run_in_executor(self._executor, self._clip, piece, letter, options, run)
                if len(samples):
                    yield samples
        finally:
            run.terminate = True

    def _clip(self, phonemes: str, letter: str, options: SpeakOptions, run: ort.RunOptions | None = None) -> Samples:
        def style(count: int) -> NDArray[np.float32]:
            return self._styles.row(options.voice, letter, count)

        own = own_speed(options.speed)
        clip = self._model.synthesize(phonemes, style, own, run, manner=options.style)
        clip = at_tempo(clip, RATE_HZ, options.speed / own)
        return finish(clip, phonemes, RATE_HZ, options.speed / options.style.pauses)

    def warm_up(self) -> None:
        """Run every phonemizer and the network once: the first call of each is slower than the others."""
        wfst_normalization.warm_up()
        for letter, phonemize in self._phonemizers.items():
            voice = next((name for name in self.voices if name[0] == letter), None)
            if voice:
                self._clip(phonemize("OK 好。"), letter, SpeakOptions(voice, LANGUAGES[letter]))

    @override
    def close(self) -> None:
        """Stop the workers."""
        self._offline.end()
        self._executor.shutdown(wait=False, cancel_futures=True)


@needs_weights(always(MODEL, VOICES))
def load(context: EngineContext) -> KokoroSynthesizer:
    """Entry point: the synthesizer, warm. Raises ``WeightsError``."""
    threads = max(1, min(MAX_THREADS, context.threads))
    styles = Styles(read_builtin_voices(context.weights(VOICES)))
    folder = context.weights(MODEL)
    model = KokoroModel(folder, threads)
    american = English()
    phonemizers: dict[str, Phonemizer] = {
        "a": american,
        "b": English(british=True),
        "j": SafePhonemizer("the Japanese front end", Japanese(american)),
        "z": SafePhonemizer("the Chinese front end", Chinese(american)),
    }
    synthesizer = KokoroSynthesizer(model, styles, phonemizers, OfflineSynthesis(folder))
    synthesizer.warm_up()
    return synthesizer
