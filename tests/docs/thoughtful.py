"""The fake language model, with what the page tells of and it does not do: thinking, two calls, words before a call."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    TextDelta,
    ThinkingDelta,
    ToolCall,
)

FILLER = "One moment please, I am going to see what can be done about it."
"""Longer than the server sends ahead, so that the response is still in progress when its call is complete."""

_CALL = re.compile(r"call (\w+) (\{.*?\})")


class ThoughtfulLanguageModel(FakeLanguageModel):
    """``call a {…} call b {…}`` calls both, ``say and call a {…}`` says something first; ``think`` makes it think."""

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        said = next((message.content for message in reversed(messages) if message.role != "assistant"), "")
        calls = _CALL.findall(said)
        if (len(calls) > 1 or said.startswith("say and")) and options.tools and options.max_tokens:
            if said.startswith("say and"):
                yield TextDelta(FILLER)
            for name, arguments in calls:
                yield ToolCall(f"call_{name}", name, arguments)
            yield GenerationEnd("tool_calls")
            return
        if "think" in said and options.max_tokens:
            yield ThinkingDelta("They want me ")
            yield ThinkingDelta("to think.")
        async with aclosing(super().generate(messages, options)) as events:
            async for event in events:
                yield event
