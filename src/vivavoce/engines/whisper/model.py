"""The model itself: features in, one reading of the audio out. Blocking; every call belongs on the engine's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.mel import HOP, RATE_HZ
from vivavoce.engines.whisper.features import LogMel, frames_for
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.engines.whisper.vocabulary import TEXT_TOKENS, Vocabulary, likeliest
from vivavoce.engines.whisper.words import TimedToken
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples

MIN_PROBABILITY = 1e-30
"""What a probability of nothing counts as, for its logarithm to be a number."""

TOKENS_PER_S = 10
SPARE_TOKENS = 12
"""Text longer than 12 tokens and 10 a second is a loop, not speech (fast speech makes about 5 a second)."""


@dataclass(frozen=True, slots=True)
class DecodedText:
    """What the decoder made of some audio, and how sure it was.

    ``no_speech`` is its probability in [0, 1] that nobody speaks; ``log_probability`` the mean over the tokens.
    ``cut_off`` means it wrote on until it was stopped.
    """

    text: str
    no_speech: float
    log_probability: float
    cut_off: bool


@dataclass(frozen=True, slots=True)
class Encoded:
    """Audio as the encoder has heard it: its output (``view``, CTranslate2's own) and what that is made of.

    ``log_mel`` is ``float32[bands, 2 n]``; ``samples`` is how much of that is audio and not padding.
    """

    view: Any
    log_mel: NDArray[np.float32]
    samples: int

    @property
    def log_mel_of_audio(self) -> NDArray[np.float32]:
        """``log_mel`` without the padding."""
        return self.log_mel[:, : max(self.samples // (2 * HOP), 1) * 2]

    @property
    def states(self) -> NDArray[np.float32]:
        """The encoder's output for the audio, ``float32[n, d]``, 50 a second. A copy: it outlives ``view``."""
        states: NDArray[np.float32] = np.array(self.view, np.float32)[0]
        return states[: max(self.samples // (2 * HOP), 1)]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A token of a text, where the decoder began to attend to it, and how likely it was (natural logarithm)."""

    id: int
    timed: TimedToken
    log_probability: float


class WhisperModel:
    """Whisper on CTranslate2. ``Encoded`` audio goes from ``encode`` to ``detect`` and ``read``."""

    def __init__(self, folder: Path, settings: WhisperSettings, threads: int) -> None:
        self.vocabulary = Vocabulary(folder / "tokenizer.json")
        self._beam_size = settings.beam_size
        try:
            self._model: Any = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type=settings.compute_type, intra_threads=threads
            )
        except Exception as error:
            raise EngineError("whisper", f"cannot open the model in {folder}: {error}") from error
        self._features = LogMel(self._model.n_mels)

    def encode(self, samples: Samples, context_s: float) -> Encoded:
        """Hear ``samples`` (``float32[n]``, 16 kHz, at most 30 s) within at least ``context_s`` of audio."""
        features = self._features(samples, frames_for(len(samples), context_s))
        view = self._model.encode(ctranslate2.StorageView.from_array(features))
        return Encoded(view, features[0], len(samples))

    def detect(self, encoded: Encoded, languages: Sequence[Language]) -> tuple[Language, float | None]:
        """The likeliest of ``languages`` and its probability among all there are; ``None`` where there is no choice."""
        if len(languages) == 1:
            return languages[0], None
        return likeliest(self._model.detect_language(encoded.view)[0], languages)

    def read(
        self,
        encoded: Encoded,
        *,
        language: Language,
        prompt: str | None,
        length: int,
        translate: bool = False,
        temperature: float = 0.0,
    ) -> DecodedText:
        """Write down what was heard. ``length`` of the audio in samples bounds the length of the text."""
        start = self.vocabulary.prompt(language, prompt, translate=translate)
        tokens = min(SPARE_TOKENS + TOKENS_PER_S * length // RATE_HZ, TEXT_TOKENS // 2, TEXT_TOKENS - len(start))
        how: dict[str, Any] = {"beam_size": self._beam_size}
        if temperature > 0:
            how = {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": temperature}
        result = self._model.generate(
            encoded.view,
            [start],
            # CTranslate2 stops at half of max_length, or where prompt and text together reach it.
            max_length=max(2 * tokens, tokens + len(start)),
            return_scores=True,
            return_no_speech_prob=True,
            **how,
        )[0]
        tokens_read = result.sequences_ids[0]
        return DecodedText(
            text=self.vocabulary.text(tokens_read),
            no_speech=result.no_speech_prob,
            log_probability=result.scores[0],
            cut_off=len(tokens_read) >= tokens,
        )

    def align(
        self, encoded: Encoded, text: str, *, language: Language, length: int, translate: bool = False
    ) -> list[Aligned]:
        """Where in the audio (``length`` samples) each token of ``text`` is said (by cross-attention)."""
        ids = self.vocabulary.tokens(text)[: TEXT_TOKENS - 5]
        start = self.vocabulary.start(language, translate=translate)
        result = self._model.align(encoded.view, start, [ids], max(length // HOP, 2))[0]
        positions: dict[int, int] = {}
        for token, position in result.alignments:
            positions.setdefault(token, position)
        return [
            Aligned(id, TimedToken(self.vocabulary.data(id), positions[index]), log(max(chance, MIN_PROBABILITY)))
            for index, (id, chance) in enumerate(zip(ids, result.text_token_probs, strict=True))
        ]
