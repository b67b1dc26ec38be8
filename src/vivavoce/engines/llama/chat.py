"""Between our words and llama.cpp's: messages to its chat request, its chunks to events. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vivavoce.engines.llama.decision import CANDIDATES, Kind
from vivavoce.engines.llama.grammar import calls_grammar, words_grammar
from vivavoce.engines.llama.settings import LlamaSettings
from vivavoce.engines.llama.tool_prompt import EXAMPLES, answer_told, schema_told, tools_told
from vivavoce.errors import EngineError
from vivavoce.types import FinishReason, GenerationEnd, GenerationOptions, Message, TokenScore

_CONTROL_TOKEN = re.compile(r"<\|(?=\w+\|>)")
_RANDOM_SEED = 0xFFFFFFFF
_BOTH = ("user", "assistant")

_STREAMED = {"cache_prompt": True, "stream": True, "return_progress": True, "timings_per_token": True}

_REMINDERS = {
    "en": "(Answer in English.)",
    "zh": "（请用中文回答。）",
    "ja": "（日本語で答えてください。）",
}


def prompt_request(messages: Sequence[Message], options: GenerationOptions, settings: LlamaSettings) -> dict[str, Any]:
    """The part of a chat request that makes the prompt.

    What the reply may be follows the system message, and where there are tools, a conversation to go by; users' turns name
    its language, where the settings say so.
    """
    remind = settings.reminders == "always" or (settings.reminders == "sampling" and options.temperature > 0)
    said = [_message(message, remind, labelled=bool(options.tools)) for message in messages]
    rules = [tools_told(options.tools)] if options.tools else []
    if options.schema is not None:
        rules.append(schema_told(options.schema))
    if rules and (not said or said[0]["role"] != "system"):
        said.insert(0, {"role": "system", "content": ""})
    if rules:
        said[0]["content"] = "\n\n".join([said[0]["content"], *map(_harmless, rules)]).lstrip()
    if options.tools:
        shown = [{"role": role, "content": text} for pair in EXAMPLES for role, text in zip(_BOTH, pair, strict=True)]
        said[1:1] = shown
    return {"messages": said}


def first_request(messages: Sequence[Message], options: GenerationOptions, settings: LlamaSettings) -> dict[str, Any]:
    """A request for the first token of a reply and those that could stand in its place; as ``chat_request`` else."""
    alone = {"max_tokens": 1, "logprobs": True, "top_logprobs": CANDIDATES, "temperature": 0.0}
    return prompt_request(messages, options, settings) | _STREAMED | alone


def chat_request(
    messages: Sequence[Message], options: GenerationOptions, settings: LlamaSettings, kind: Kind = "words"
) -> dict[str, Any]:
    """A streaming chat request; the slot is for the caller to add. Raises ``EngineError`` for a choice not on offer.

    Progress is asked for because llama.cpp can stop only where it calls back: with it, after each batch of the prompt.
    """
    return (prompt_request(messages, options, settings) | _STREAMED) | {
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "top_k": settings.top_k,
        "min_p": settings.min_p,
        "repeat_penalty": settings.repeat_penalty,
        "repeat_last_n": settings.repeat_last_tokens,
        "seed": _RANDOM_SEED if options.seed is None else options.seed,
        "stop": list(options.stop),
        "frequency_penalty": options.frequency_penalty,
        "presence_penalty": options.presence_penalty,
        **({"logprobs": True, "top_logprobs": max(options.logprobs, 1)} if options.logprobs is not None else {}),
        **_held(options, kind),
    }


def _held(options: GenerationOptions, kind: Kind) -> dict[str, str]:
    """The grammar of the reply, where there are tools or a schema, and there is a reply."""
    if not (options.tools or options.schema is not None) or not options.max_tokens:
        return {}
    if kind == "words":
        return {"grammar": words_grammar(options, after_label=bool(options.tools) and not options.goes_on)}
    try:
        return {"grammar": calls_grammar(options)}
    except LookupError as error:
        raise EngineError("llama", f"no such tool is on offer: {error}") from error


class ChunkReader:
    """Reads the chunks of one reply: text out, what it cost remembered."""

    def __init__(self) -> None:
        self._timings: Mapping[str, Any] = {}
        self._reason: FinishReason = "stop"

    def text(self, chunk: Mapping[str, Any]) -> str:
        """The text a chunk adds, often none."""
        self._timings = chunk.get("timings", self._timings)
        for choice in chunk.get("choices", ()):
            if choice.get("finish_reason") == "length":
                self._reason = "length"
            return choice.get("text") or choice.get("delta", {}).get("content") or ""
        return ""

    def scores(self, chunk: Mapping[str, Any], others: int) -> tuple[TokenScore, ...]:
        """How likely the tokens of a chunk's text were, with so many ``others`` each."""
        return tuple(
            replace(_score(token), others=tuple(map(_score, token["top_logprobs"][:others])))
            for choice in chunk.get("choices", ())
            for token in (choice.get("logprobs") or {}).get("content") or ()
        )

    def end(self, *, called: bool, prefill: bool) -> GenerationEnd:
        """The last event. A prefill samples one token, which nobody sees and which is not counted."""
        cached, read = int(self._timings.get("cache_n", 0)), int(self._timings.get("prompt_n", 0))
        return GenerationEnd(
            reason="tool_calls" if called else self._reason,
            input_tokens=cached + read,
            cached_tokens=cached,
            output_tokens=0 if prefill else int(self._timings.get("predicted_n", 0)),
        )


def _score(token: Mapping[str, Any]) -> TokenScore:
    return TokenScore(token["token"], bytes(token["bytes"]), token["logprob"])


def _message(message: Message, remind: bool, *, labelled: bool) -> dict[str, Any]:
    content = _reminded(message) if remind else message.content
    if labelled and message.role == "assistant":
        return {"role": message.role, "content": _harmless(answer_told(content, message.tool_calls))}
    said: dict[str, Any] = {"role": message.role, "content": _harmless(content)}
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    return said


def _reminded(message: Message) -> str:
    """A user's words, and in what language to answer: small models drift into another one.

    It goes to the end of the turn and stays there in later prompts, so that what was read before stays cached.
    """
    reminder = _REMINDERS.get(message.reply_language or "")
    return f"{message.content} {reminder}" if reminder else message.content


def _harmless(content: str) -> str:
    """``content`` without control tokens: llama.cpp would read them as such, so that a text could end its own turn."""
    return _CONTROL_TOKEN.sub("< |", content)
