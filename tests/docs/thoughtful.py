"""The fake language model, with what the page tells of and it does not do: thinking, and two calls at once."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, ThinkingDelta, ToolCall

_CALL = re.compile(r"call (\w+) (\{.*?\})")


class ThoughtfulLanguageModel(FakeLanguageModel):
    """``call a {…} call b {…}`` calls both; a message with ``think`` in it is thought about before it is repeated."""

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        said = next((message.content for message in reversed(messages) if message.role != "assistant"), "")
        calls = _CALL.findall(said)
        if len(calls) > 1 and options.tools and options.max_tokens:
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
