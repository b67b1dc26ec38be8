"""A language model that repeats the last message, and calls the tools a message names."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import override

from vivavoce.engines.base import LanguageModel
from vivavoce.engines.fake.failure import FAILURE
from vivavoce.errors import EngineError
from vivavoce.types import (
    FinishReason,
    GenerationEnd,
    GenerationEvent,
    GenerationFeature,
    GenerationOptions,
    Message,
    NamedTool,
    TextDelta,
    TokenScore,
    TokenScores,
    ToolCall,
    ToolCallDelta,
)

_CALL = re.compile(r"call (\w+) (\{.*\})", re.DOTALL)
_FIRST = re.compile(r"say (.+?) and call ", re.DOTALL)


class FakeLanguageModel(LanguageModel):
    """Repeats what it was told."""

    context_tokens = 4096
    features: frozenset[GenerationFeature] = frozenset({"schema", "logprobs"})

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """``You said: …``, a word at a time; or a call of a tool, in two pieces, if one is asked for by name."""
        await asyncio.sleep(0)
        prefix = messages[-1].content if options.continue_last_message else ""
        request = _last_request(messages)
        tokens = await self.count_tokens(messages, options)
        if FAILURE in request and options.max_tokens:
            raise EngineError("fake", "failed because it was asked to")
        if options.max_tokens and (call := _chosen_call(request, options, is_tool_result=messages[-1].role == "tool")):
            if first := _FIRST.match(request):
                yield TextDelta(first[1])
            half = len(call.arguments) // 2
            yield ToolCallDelta(call.id, call.name, call.arguments[:half])
            yield ToolCallDelta(call.id, call.name, call.arguments[half:])
            yield call
            yield GenerationEnd("tool_calls", input_tokens=tokens, output_tokens=1)
            return
        text = f"You said: {request}" if options.schema is None else json.dumps(_minimal_value(options.schema))
        stops = [at for stop in options.stop if (at := text.find(stop)) >= 0]
        words = re.findall(r"\s*\S+", text[: min(stops, default=None)].removeprefix(prefix))
        for word in words[: options.max_tokens]:
            await asyncio.sleep(0)
            if options.logprobs is not None:
                yield TokenScores((_score(word, options.logprobs),))
            yield TextDelta(word)
        reason: FinishReason = "length" if 0 < options.max_tokens < len(words) else "stop"
        spent = min(options.max_tokens, len(words))
        yield GenerationEnd(reason, input_tokens=tokens, cached_tokens=tokens, output_tokens=spent)

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        """A token a word."""
        return sum(len(message.content.split()) for message in messages)

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        """Unlikely after ``and``, else as likely as not."""
        return 0.01 if messages[-1].content.endswith(" and") else 0.5

    @override
    def close(self) -> None:
        pass


def _last_request(messages: Sequence[Message]) -> str:
    """What the user or a tool said last; instructions only where nobody has said anything."""
    for roles in (("user", "tool"), ("system",)):
        for message in reversed(messages):
            if message.role in roles:
                return message.content
    return ""


def _score(token: str, others: int) -> TokenScore:
    """As likely as not; the others are the same in capitals, less likely one after the other."""
    others_by_rank = (TokenScore(token.upper(), token.upper().encode(), math.log(0.5) - n) for n in range(1, others))
    same = TokenScore(token, token.encode(), math.log(0.5))
    return replace(same, others=(same, *others_by_rank) if others else ())


def _chosen_call(request: str, options: GenerationOptions, *, is_tool_result: bool) -> ToolCall | None:
    """The call asked for by name, if the choice allows it; else the one the choice demands."""
    choice = options.tool_choice
    allowed = {
        tool.name: tool
        for tool in options.tools
        if tool.name not in options.withheld and (not isinstance(choice, NamedTool) or tool.name == choice.name)
    }
    if choice == "none" or not allowed:
        return None
    match = None if is_tool_result else _CALL.search(request)
    if match and match[1] in allowed:
        return ToolCall(f"call_{match[1]}", match[1], match[2])
    if choice == "auto":
        return None
    tool = next(iter(allowed.values()))
    return ToolCall(f"call_{tool.name}", tool.name, json.dumps(_minimal_value({"type": "object", **tool.parameters})))


def _minimal_value(schema: Mapping[str, Any]) -> Any:
    """A small value of the common kinds of JSON Schema: type, enum, const, minimum, required properties."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type", "null"):
        case "object":
            properties = schema.get("properties", {})
            return {name: _minimal_value(properties.get(name, {})) for name in schema.get("required", ())}
        case "string":
            return "fake"
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
        case "array":
            return [_minimal_value(schema.get("items", {}))] * schema.get("minItems", 0)
        case _:
            return None
