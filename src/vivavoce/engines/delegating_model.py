"""A language model around another one: what it does not do differently is the other's."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from typing_extensions import override

from vivavoce.engines.base import LanguageModel
from vivavoce.types import GenerationOptions, Message


class DelegatingModel(LanguageModel):
    """Base of those that change how ``model`` generates, for one reply: they are what it is when they are made."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.capacity, self.features, self.context_tokens = model.capacity, model.features, model.context_tokens
        self.speculative, self.aids = model.speculative, model.aids
        self.audio_turns, self.speaks = model.audio_turns, model.speaks

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        return await self._model.count_tokens(messages, options)

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        return await self._model.sentence_end(messages, options)

    @override
    def close(self) -> Awaitable[None] | None:
        return self._model.close()
