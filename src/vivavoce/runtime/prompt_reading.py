"""How much of its prompt a language model reads while somebody waits for the reply."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from typing_extensions import override

from vivavoce.engines.base import LanguageModel
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message


class PromptReadingCounter(LanguageModel):
    """``model``, and how many ``tokens`` of prompts it has read since ``turn_over``.

    A prompt has been read when the first event of its generation comes: one during whose reading the turn ends counts as a
    whole.
    """

    def __init__(self, model: LanguageModel, turn_over: Callable[[], bool]) -> None:
        self._model = model
        self._turn_over = turn_over
        self.capacity, self.features, self.context_tokens = model.capacity, model.features, model.context_tokens
        self.speculative, self.aids = model.speculative, model.aids
        self.audio_turns, self.speaks = model.audio_turns, model.speaks
        self.tokens = 0

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        awaited: bool | None = None
        async with aclosing(self._model.generate(messages, options)) as events:
            async for event in events:
                if awaited is None:
                    awaited = self._turn_over()
                if awaited and isinstance(event, GenerationEnd):
                    self.tokens += event.input_tokens - event.cached_tokens
                yield event

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        return await self._model.count_tokens(messages, options)

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        return await self._model.sentence_end(messages, options)

    @override
    def close(self) -> None:
        """The model is not its own."""
