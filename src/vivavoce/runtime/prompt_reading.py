"""How much of its prompt a language model reads while somebody waits for the reply."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from typing_extensions import override

from vivavoce.engines.base import LanguageModel
from vivavoce.engines.delegating_model import DelegatingModel
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message


class PromptReadingCounter(DelegatingModel):
    """``model``, and how many ``tokens`` of prompts it has read since ``turn_over``.

    A prompt has been read when the first event of its generation comes: one during whose reading the turn ends counts as a
    whole.
    """

    def __init__(self, model: LanguageModel, turn_over: Callable[[], bool]) -> None:
        super().__init__(model)
        self._turn_over = turn_over
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
    def close(self) -> None:
        """The model is not its own."""
