"""A conversation as the body of a chat completions request, in the way a server takes it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from vivavoce.engines.chat_fields import REMINDERS, call_fields
from vivavoce.engines.openai.chat_settings import ChatSettings, ContinuationStyle
from vivavoce.sound import MessageAudio
from vivavoce.types import GenerationOptions, Message, NamedTool, Tool

Render: TypeAlias = Callable[[Message], dict[str, Any]]
"""A message as an entry of ``messages``."""

NO_RESULT = "(There is no result yet.)"
"""Stands for the result of a call that has none: endpoints refuse calls without one."""

GO_ON = "Go on with your last message exactly where it stops, without repeating any of it and without a comment."


@dataclass(frozen=True, slots=True)
class Conventions:
    """How a server wants to be asked, as far as is known. ``omit`` are fields it refuses."""

    max_tokens_field: str
    continuation: ContinuationStyle
    system_first: bool
    omit: frozenset[str] = frozenset()


def chat_body(
    messages: Sequence[Message],
    options: GenerationOptions,
    settings: ChatSettings,
    conventions: Conventions,
    render: Render,
) -> dict[str, Any]:
    """The body of a streaming request. Fields that say what is so anyway are left out: not every server knows them all."""
    offered = offered_tools(options)
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": [render(message) for message in _chat(messages, options, settings, conventions)],
        "stream": True,
        "stream_options": {"include_usage": True},
        conventions.max_tokens_field: options.max_tokens + settings.thinking_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        **_optional(options),
    }
    if offered:
        body["tools"] = [_function(tool) for tool in offered]
        body["tool_choice"] = _choice(options)
        if not options.parallel_tool_calls:
            body["parallel_tool_calls"] = False
    if options.schema is not None:
        body["response_format"] = _response_format(options.schema)
    if options.continue_last_message and conventions.continuation == "flags":
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    body |= settings.body
    return {name: value for name, value in body.items() if name not in settings.omit | conventions.omit}


def offered_tools(options: GenerationOptions) -> tuple[Tool, ...]:
    """The tools that are told. Where none may be called they are told all the same: the prompt's head stays what it was."""
    return tuple(tool for tool in options.tools if tool.name not in options.withheld)


def _optional(options: GenerationOptions) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if options.seed is not None:
        body["seed"] = options.seed
    if options.stop:
        body["stop"] = list(options.stop)
    if options.frequency_penalty:
        body["frequency_penalty"] = options.frequency_penalty
    if options.presence_penalty:
        body["presence_penalty"] = options.presence_penalty
    if options.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": options.logprobs}
    return body


def _function(tool: Tool) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}, **tool.parameters}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _choice(options: GenerationOptions) -> Any:
    if isinstance(options.tool_choice, NamedTool):
        return {"type": "function", "function": {"name": options.tool_choice.name}}
    return options.tool_choice


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI holds a text to a schema only where it is strict, and takes for strict only what names and closes everything."""
    if set(schema) <= {"type"} and schema.get("type") == "object":
        return {"type": "json_object"}
    named: dict[str, Any] = {"name": "answer", "schema": schema}
    if _is_closed(schema):
        named["strict"] = True
    return {"type": "json_schema", "json_schema": named}


def _is_closed(schema: Any) -> bool:
    """Whether every object of a schema requires all it has, and takes nothing else."""
    if isinstance(schema, list):
        return all(map(_is_closed, schema))
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(properties):
            return False
    return all(map(_is_closed, schema.values()))


# ---- messages


def _chat(
    messages: Sequence[Message], options: GenerationOptions, settings: ChatSettings, conventions: Conventions
) -> list[Message]:
    chat = list(with_results(messages))
    if options.continue_last_message and conventions.continuation == "request":
        chat.append(Message("system", GO_ON))
    if conventions.system_first:
        chat = with_one_system_message(chat)
    return [_reminded(message) for message in chat] if "reminders" in settings.aids else chat


def with_results(messages: Sequence[Message]) -> Iterator[Message]:
    """``messages`` with the results of calls right behind them, as endpoints want it; a result without a call is a note."""
    results = {message.tool_call_id: message for message in messages if message.role == "tool"}
    called: set[str | None] = set()
    for message in messages:
        if message.role != "tool":
            yield message
            for call in message.tool_calls:
                called.add(call.id)
                yield results.get(call.id) or Message("tool", NO_RESULT, tool_call_id=call.id)
        elif message.tool_call_id not in called:
            yield Message("system", f"A tool found:\n{message.content}")


def with_one_system_message(messages: Sequence[Message]) -> list[Message]:
    """``messages`` for templates with a system message at the beginning only, and with turns that alternate."""
    chat: list[Message] = []
    for message in messages:
        turn = replace(message, role="user") if message.role == "system" and chat else message
        joins = chat and turn.role == chat[-1].role and turn.role in ("user", "assistant")
        if joins and not (turn.tool_calls or chat[-1].tool_calls):
            content = f"{chat[-1].content}\n\n{turn.content}".strip()
            chat[-1] = replace(turn, content=content, audio=_joined_audio(chat[-1], turn))
        else:
            chat.append(turn)
    return chat


def rendered(message: Message, settings: ChatSettings) -> dict[str, Any]:
    """A message in words."""
    role = settings.roles.get(message.role, message.role)
    return {"role": role, "content": message.content} | call_fields(message)


def _joined_audio(before: Message, after: Message) -> MessageAudio | None:
    """How two turns sound that become one; what was only written stays text."""
    audio = after.audio or before.audio
    if audio is None:
        return None
    clips = tuple(clip for turn in (before, after) if turn.audio is not None for clip in turn.audio.clips)
    texts = (turn.content if turn.audio is None else turn.audio.text for turn in (before, after))
    return MessageAudio(clips, audio.rate_hz, "\n\n".join(filter(None, texts)))


def _reminded(message: Message) -> Message:
    """Before the words, so that it has been read by the time the last of them are said."""
    reminder = REMINDERS.get(message.reply_language or "")
    if not reminder:
        return message
    heard = message.audio
    audio = None if heard is None else replace(heard, text=f"{reminder} {heard.text}".strip())
    return replace(message, content=f"{reminder} {message.content}", audio=audio)
