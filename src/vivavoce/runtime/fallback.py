"""Language models and recognisers with another one that takes their place while they are away."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing

from typing_extensions import override

from vivavoce.closing import CloseStack
from vivavoce.engines.base import LanguageModel, Recognizer, SpeechOutput
from vivavoce.errors import EngineError
from vivavoce.types import (
    GenerationEvent,
    GenerationFeature,
    GenerationOptions,
    Message,
    ModelAid,
    Samples,
    TranscribeOptions,
    Transcript,
    TranscriptDelta,
)
from vivavoce.voice_facts import SpeechEncoding

log = logging.getLogger(__name__)


class FallbackModel(LanguageModel):
    """``model``, called ``name`` in the configuration; a reply it fails at before its first word is ``other``'s.

    A reply that has begun cannot be taken over: it fails. What one of them cannot do is not done by either. ``fallbacks``
    counts the replies of the other one.
    """

    def __init__(self, name: str, model: LanguageModel, other_name: str, other: LanguageModel) -> None:
        self.capacity = min(model.capacity, other.capacity)
        self.features: frozenset[GenerationFeature] = model.features & (other.features | {"thinking"})
        self.name = name
        self.fallbacks = 0
        self.model = model
        self._other = other
        self._other_name = other_name
        self._away = False

    @property
    def aids(self) -> frozenset[ModelAid]:  # type: ignore[override]
        """What the model needs that is to answer next, as far as is known."""
        return self._other.aids if self._away else self.model.aids

    @property
    def speculative(self) -> bool:  # type: ignore[override]
        """Whether the model that is to answer next may be asked for replies ahead."""
        return self._other.speculative if self._away else self.model.speculative

    @property
    def audio_turns(self) -> int:  # type: ignore[override]
        """What the model hears; its fallback reads the transcripts."""
        return self.model.audio_turns

    @property
    def speaks(self) -> SpeechOutput:  # type: ignore[override]
        """Of the model that is to answer next, as far as is known."""
        return (self._other if self._away else self.model).speaks

    @property
    def context_tokens(self) -> int:  # type: ignore[override]
        """The model's own: its fallback shortens what is too long for it."""
        return self.model.context_tokens

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """While the model is away, prompts are read ahead by the other one. Raises ``EngineError``, also where the other one
        would have to hear what the user said, because there is no transcript of it yet.
        """
        if options.max_tokens or not self._away:
            begun = False
            try:
                async with aclosing(self.model.generate(messages, options)) as events:
                    async for event in events:
                        begun = True
                        yield event
                self._away = False
                return
            except EngineError as error:
                if begun or not (self._other.audio_turns or is_read(messages)):
                    raise
                self._away = True
                self.fallbacks += bool(options.max_tokens)
                log.warning("%s; '%s' answers in place of '%s'", error, self._other_name, self.name)
        async with aclosing(self._other.generate(messages, options)) as events:
            async for event in events:
                yield event

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        return await self.model.count_tokens(messages, options)

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        return await (self._other if self._away else self.model).sentence_end(messages, options)

    @override
    def close(self) -> Awaitable[None] | None:
        """Close the model; the other one is closed under its own name."""
        return self.model.close()


def is_read(messages: Sequence[Message]) -> bool:
    """Whether there are words of what the user said last."""
    last = next((message for message in reversed(messages) if message.role == "user"), None)
    return last is None or last.audio is None or bool(last.content)


class FallbackRecognizer(Recognizer):
    """``recognizer``, called ``name`` in the configuration; an utterance it fails at before its first word is ``other``'s.

    ``fallbacks`` counts the utterances, partial ones too, that the other one heard.
    """

    def __init__(self, name: str, recognizer: Recognizer, other_name: str, other: Recognizer) -> None:
        self.rate_hz = recognizer.rate_hz
        self.parallel: int = getattr(recognizer, "parallel", 1)
        self.name = name
        self.fallbacks = 0
        self._recognizer = recognizer
        self._other = other
        self._other_name = other_name
        self._away = False

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None]:
        """While the recogniser's circuit breaker is open it fails at once. Raises ``EngineError``."""
        begun = False
        try:
            async with aclosing(self._recognizer.transcribe(samples, options)) as events:
                async for event in events:
                    begun = True
                    yield event
            self._away = False
            return
        except EngineError as error:
            if begun:
                raise
            self.fallbacks += 1
            level = logging.DEBUG if self._away else logging.WARNING  # somebody who speaks is read again and again
            self._away = True
            log.log(level, "%s; '%s' hears in place of '%s'", error, self._other_name, self.name)
        async with aclosing(self._other.transcribe(samples, options)) as events:
            async for event in events:
                yield event

    @override
    async def close(self) -> None:
        """Close both: the other one may be heard by nobody else."""
        async with CloseStack() as stack:
            stack.add(self._other)
            stack.add(self._recognizer)
