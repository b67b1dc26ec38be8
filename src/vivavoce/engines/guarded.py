"""Engines whose failures are ``EngineError``, whatever they raise or give: conversations, requests and workers live on.

Built-in engines know what can go wrong with them; those of others may let an ``OSError`` or a bug through. Speakers are guarded
where a clause finds its speaker (``SpeakerRouter``). Voice activity detectors are not: they are asked for every frame.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.base import Embedder, LanguageModel, Recognizer, SpeakerVerifier, TurnScorer
from vivavoce.errors import EngineError, VivavoceError
from vivavoce.types import (
    EmbedOptions,
    GenerationEvent,
    GenerationOptions,
    Message,
    Samples,
    TranscribeOptions,
    Transcript,
    TranscriptDelta,
    Vectors,
)

log = logging.getLogger(__name__)


@contextmanager
def failures_of(engine: str) -> Iterator[None]:
    """What is raised inside and is no error of ours is an ``EngineError``. Clients see its kind only, the log all of it."""
    try:
        yield
    except VivavoceError:
        raise
    except Exception as error:
        log.exception("the engine '%s' failed", engine)
        raise EngineError(engine, f"failed: {type(error).__name__}") from error


def samples_of(engine: str, given: NDArray[np.floating]) -> Samples:
    """Audio that an engine made, as ``float32[n]``. Raises ``EngineError`` for anything else than numbers in a row."""
    samples = np.asarray(given, np.float32)
    if samples.ndim != 1:
        raise EngineError(engine, f"gave samples of shape {list(samples.shape)}, not [n]")
    return samples


class GuardedRecognizer:
    """A ``Recognizer``."""

    def __init__(self, name: str, engine: Recognizer) -> None:
        self.engine, self._name = engine, name
        self.rate_hz = engine.rate_hz
        self.parallel: int = getattr(engine, "parallel", 1)

    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """As the engine does."""
        with failures_of(self._name):
            async with aclosing(self.engine.transcribe(samples, options)) as events:
                async for event in events:
                    if not isinstance(event, TranscriptDelta | Transcript):
                        raise EngineError(self._name, f"yielded {type(event).__name__}, not Transcript")
                    yield event

    def close(self) -> Awaitable[None] | None:
        """Close the engine."""
        return self.engine.close()


class GuardedLanguageModel:
    """A ``LanguageModel``."""

    def __init__(self, name: str, engine: LanguageModel) -> None:
        self.engine, self._name = engine, name
        self.capacity, self.features, self.context_tokens = engine.capacity, engine.features, engine.context_tokens

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """As the engine does."""
        with failures_of(self._name):
            async with aclosing(self.engine.generate(messages, options)) as events:
                async for event in events:
                    yield event

    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        """As the engine does."""
        with failures_of(self._name):
            return await self.engine.count_tokens(messages, options)

    def close(self) -> Awaitable[None] | None:
        """Close the engine."""
        return self.engine.close()


class GuardedTurnScorer:
    """A ``TurnScorer``."""

    def __init__(self, name: str, engine: TurnScorer) -> None:
        self.engine, self._name = engine, name
        self.rate_hz, self.window_s = engine.rate_hz, engine.window_s

    async def score(self, samples: Samples) -> float:
        """As the engine does."""
        with failures_of(self._name):
            return float(await self.engine.score(samples))

    def close(self) -> Awaitable[None] | None:
        """Close the engine."""
        return self.engine.close()


class GuardedSpeakerVerifier:
    """A ``SpeakerVerifier``."""

    def __init__(self, name: str, engine: SpeakerVerifier) -> None:
        self.engine, self._name = engine, name
        self.rate_hz, self.network, self.least_s = engine.rate_hz, engine.network, engine.least_s

    async def embed(self, samples: Samples) -> NDArray[np.float32]:
        """As the engine does."""
        with failures_of(self._name):
            return np.asarray(await self.engine.embed(samples), np.float32)

    def close(self) -> Awaitable[None] | None:
        """Close the engine."""
        return self.engine.close()


class GuardedEmbedder:
    """An ``Embedder``."""

    def __init__(self, name: str, engine: Embedder) -> None:
        self.engine, self._name = engine, name
        self.name, self.dimensions = engine.name, engine.dimensions

    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """As the engine does."""
        with failures_of(self._name):
            vectors = np.asarray(await self.engine.embed(texts, options), np.float32)
            if vectors.shape != (len(texts), self.dimensions):
                wanted = [len(texts), self.dimensions]
                raise EngineError(self._name, f"gave vectors of shape {list(vectors.shape)}, not {wanted}")
            return vectors

    def close(self) -> Awaitable[None] | None:
        """Close the engine."""
        return self.engine.close()


GUARDS: Mapping[str, Callable[[str, Any], Any]] = {
    "recognizers": GuardedRecognizer,
    "language_models": GuardedLanguageModel,
    "turn_scorers": GuardedTurnScorer,
    "speaker_verifiers": GuardedSpeakerVerifier,
    "embedders": GuardedEmbedder,
}
"""By the kind of engine."""
