"""Engines whose failures are ``EngineError``, whatever they raise or give: conversations, requests and workers live on.

Built-in engines know what can go wrong with them; those of others may let an ``OSError`` or a bug through. Synthesizers are
wrapped where a clause finds its synthesizer (``SynthesizerRouter``). Voice activity detectors are not: they are asked for every
frame.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from vivavoce.engines.audio_chat import AudioChat
from vivavoce.engines.audio_tokens import AudioTokenDecoder, AudioTokenOptions
from vivavoce.engines.base import (
    Embedder,
    EndOfTurnModel,
    LanguageModel,
    Perceiver,
    Recognizer,
    SpeakerVerifier,
    SpeechOutput,
)
from vivavoce.errors import EngineError, VivavoceError
from vivavoce.types import (
    ALL_AIDS,
    EmbedOptions,
    GenerationEvent,
    GenerationOptions,
    Message,
    ModelAid,
    Samples,
    TranscribeOptions,
    Transcript,
    TranscriptDelta,
    Vectors,
)
from vivavoce.voice_facts import Perceived, PerceiveOptions, SpeechEncoding

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


def samples_of(engine: str, array: NDArray[np.floating]) -> Samples:
    """Audio that an engine made, as ``float32[n]``. Raises ``EngineError`` for anything else than numbers in a row."""
    samples = np.asarray(array, np.float32)
    if samples.ndim != 1:
        raise EngineError(engine, f"gave samples of shape {list(samples.shape)}, not [n]")
    return samples


class RecognizerWrapper(Recognizer):
    """A ``Recognizer``."""

    def __init__(self, name: str, engine: Recognizer) -> None:
        self.engine, self._name = engine, name
        self.rate_hz = engine.rate_hz
        self.parallel: int = getattr(engine, "parallel", 1)

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None]:
        with failures_of(self._name):
            async with aclosing(self.engine.transcribe(samples, options)) as events:
                async for event in events:
                    if not isinstance(event, SpeechEncoding | TranscriptDelta | Transcript):
                        raise EngineError(self._name, f"yielded {type(event).__name__}, not Transcript")
                    yield event

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


class LanguageModelWrapper(LanguageModel):
    """A ``LanguageModel``."""

    def __init__(self, name: str, engine: LanguageModel) -> None:
        self.engine, self._name = engine, name
        self.capacity, self.features = engine.capacity, engine.features
        self.speculative = getattr(engine, "speculative", True)
        self.aids: frozenset[ModelAid] = getattr(engine, "aids", ALL_AIDS)
        self.audio_turns: int = getattr(engine, "audio_turns", self.audio_turns)
        self.speaks: SpeechOutput = getattr(engine, "speaks", "none")

    @property
    def context_tokens(self) -> int:  # type: ignore[override]
        """The engine's, which may become known later."""
        return self.engine.context_tokens

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        with failures_of(self._name):
            async with aclosing(self.engine.generate(messages, options)) as events:
                async for event in events:
                    yield event

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        with failures_of(self._name):
            return await self.engine.count_tokens(messages, options)

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        sentence_end = getattr(self.engine, "sentence_end", None)  # optional: see ``contract.OPTIONAL``
        if sentence_end is None:
            return None
        with failures_of(self._name):
            probability: float | None = await sentence_end(messages, options)
            return probability

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


class AudioChatWrapper(LanguageModelWrapper, AudioChat):
    """An ``AudioChat``: one that says nothing else hears the turn it answers."""

    audio_turns = 1


class AudioTokenDecoderWrapper(AudioTokenDecoder):
    """An ``AudioTokenDecoder``."""

    def __init__(self, name: str, engine: AudioTokenDecoder) -> None:
        self.engine, self._name = engine, name
        self.rate_hz = engine.rate_hz

    @property
    @override
    def voices(self) -> Collection[str]:
        return self.engine.voices

    @override
    async def decode(
        self, tokens: AsyncIterator[Sequence[int]], options: AudioTokenOptions
    ) -> AsyncGenerator[Samples, None]:
        with failures_of(self._name):
            pieces = self.engine.decode(tokens, options)
            try:
                async for piece in pieces:
                    yield samples_of(self._name, piece)
            finally:
                if isinstance(pieces, AsyncGenerator):
                    await pieces.aclose()

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


class EndOfTurnModelWrapper(EndOfTurnModel):
    """A ``EndOfTurnModel``."""

    def __init__(self, name: str, engine: EndOfTurnModel) -> None:
        self.engine, self._name = engine, name
        self.rate_hz, self.window_s = engine.rate_hz, engine.window_s

    @override
    async def score(self, samples: Samples) -> float:
        with failures_of(self._name):
            return float(await self.engine.score(samples))

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


class SpeakerVerifierWrapper(SpeakerVerifier):
    """A ``SpeakerVerifier``."""

    def __init__(self, name: str, engine: SpeakerVerifier) -> None:
        self.engine, self._name = engine, name
        self.rate_hz, self.network, self.min_s = engine.rate_hz, engine.network, engine.min_s

    @override
    async def embed(self, samples: Samples) -> NDArray[np.float32]:
        with failures_of(self._name):
            return np.asarray(await self.engine.embed(samples), np.float32)

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


class EmbedderWrapper(Embedder):
    """An ``Embedder``."""

    def __init__(self, name: str, engine: Embedder) -> None:
        self.engine, self._name = engine, name
        self.name, self.dimensions = engine.name, engine.dimensions

    @override
    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        with failures_of(self._name):
            vectors = np.asarray(await self.engine.embed(texts, options), np.float32)
            if vectors.shape != (len(texts), self.dimensions):
                expected = [len(texts), self.dimensions]
                raise EngineError(self._name, f"gave vectors of shape {list(vectors.shape)}, not {expected}")
            return vectors

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


class PerceiverWrapper(Perceiver):
    """A ``Perceiver``."""

    def __init__(self, name: str, engine: Perceiver) -> None:
        self.engine, self._name = engine, name
        self.network = engine.network

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        with failures_of(self._name):
            perceived = await self.engine.perceive(samples, rate_hz, encoding, options)
            if not isinstance(perceived, Perceived):
                raise EngineError(self._name, f"gave {type(perceived).__name__}, not Perceived")
            return perceived

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


ERROR_WRAPPERS: Mapping[str, Callable[[str, Any], Any]] = {
    "recognizers": RecognizerWrapper,
    "language_models": LanguageModelWrapper,
    "turn_scorers": EndOfTurnModelWrapper,
    "speaker_verifiers": SpeakerVerifierWrapper,
    "embedders": EmbedderWrapper,
    "perceivers": PerceiverWrapper,
    "audio_chats": AudioChatWrapper,
    "audio_token_decoders": AudioTokenDecoderWrapper,
}
"""By the kind of engine."""
