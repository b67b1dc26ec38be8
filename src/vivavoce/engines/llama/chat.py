"""Between our words and llama.cpp's: messages to its chat request, its chunks to events. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vivavoce.engines import sentence_end
from vivavoce.engines.chat_fields import REMINDERS, RULES_RESTATED, call_fields, in_script
from vivavoce.engines.llama.answer_prompt import render_abilities, render_missing_argument, render_schema
from vivavoce.engines.llama.grammar import calls_grammar, words_grammar
from vivavoce.engines.llama.settings import LlamaSettings
from vivavoce.engines.llama.tool_classifier import CANDIDATES, ReplyKind
from vivavoce.engines.llama.tool_prompt import (
    EXAMPLE_TURNS,
    NO_NEW_REQUEST,
    abridged,
    has_no_new_request,
    render_answer,
    render_tools,
    render_transient_tools,
)
from vivavoce.errors import EngineError
from vivavoce.pending_request import answered_until
from vivavoce.text.instruction_rules import rules_of
from vivavoce.types import FinishReason, GenerationEnd, GenerationOptions, Message, TokenScore

_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_CONTROL_TOKEN = re.compile(r"<\|(?=\w+\|>)")
_RANDOM_SEED = 0xFFFFFFFF

_STREAMED = {"cache_prompt": True, "stream": True, "return_progress": True, "timings_per_token": True}


def answer_prompt(
    messages: Sequence[Message], options: GenerationOptions, settings: LlamaSettings, *, missing: str = ""
) -> dict[str, Any]:
    """The part of a chat request that makes the prompt of an answer in words.

    What the answer may be follows the system message; users' turns name its language, and the rules it has to keep, where the
    settings say so. ``missing``: what the person has to be asked for.
    """
    remind = _reminds(options, settings)
    chat = [_message(message, remind, labelled=False) for message in messages]
    if settings.reminders != "never":
        _restate_rules(chat)
    rules = [render_abilities(options), render_schema(options.schema) if options.schema is not None else ""]
    _add_to_head(chat, [rule for rule in rules if rule])
    if missing:
        chat.append({"role": "system", "content": _harmless(render_missing_argument(missing))})
    return {"messages": chat}


def decision_prompt(messages: Sequence[Message], options: GenerationOptions, settings: LlamaSettings) -> dict[str, Any]:
    """The part of a chat request that makes the prompt in which it is decided whether to call, and in which calls are written.

    Tools on offer in this reply only stand behind what has been answered: all before them stays cached. Hints on how to word
    the answer are left out: they cost time, and have talked the model out of calls.
    """
    messages = [message for message in messages if not message.hint]
    abridged_messages, remind = abridged(messages, settings.context_tokens), _reminds(options, settings)
    chat = [_message(message, remind, labelled=True) for message in abridged_messages]
    if has_no_new_request(abridged_messages):
        chat.append({"role": "system", "content": NO_NEW_REQUEST})
    if behind := render_transient_tools(options):
        chat.insert(answered_until(abridged_messages), {"role": "system", "content": _harmless(behind)})
    _add_to_head(chat, [render_tools(options)])
    chat[1:1] = [{"role": "system", "content": text} for text in EXAMPLE_TURNS]
    return {"messages": chat}


def _restate_rules(chat: Sequence[dict[str, Any]]) -> None:
    """Put the instructions' rules for every answer before each turn of the user: what stands only at the head of the prompt is
    kept less and less. Before the words, so that it has been read by the time they are said."""
    rules = rules_of(chat[0]["content"]).restated if chat and chat[0]["role"] == "system" else ""
    if rules:
        restated = in_script(RULES_RESTATED, rules).format(_harmless(rules))
        for message in chat:
            if message["role"] == "user":
                message["content"] = f"{restated} {message['content']}"


def _reminds(options: GenerationOptions, settings: LlamaSettings) -> bool:
    return settings.reminders == "always" or (settings.reminders == "sampling" and options.temperature > 0)


def _add_to_head(chat: list[dict[str, Any]], rules: Sequence[str]) -> None:
    """Put ``rules`` behind the system message, or make one of them."""
    if rules and (not chat or chat[0]["role"] != "system"):
        chat.insert(0, {"role": "system", "content": ""})
    if rules:
        chat[0]["content"] = "\n\n".join([chat[0]["content"], *map(_harmless, rules)]).lstrip()


def first_request(messages: Sequence[Message], options: GenerationOptions, settings: LlamaSettings) -> dict[str, Any]:
    """A request for the first token of a reply and those that could stand in its place."""
    alone = {"max_tokens": 1, "logprobs": True, "top_logprobs": CANDIDATES, "temperature": 0.0}
    return decision_prompt(messages, options, settings) | _STREAMED | alone


def sentence_end_request(
    messages: Sequence[Message], options: GenerationOptions, settings: LlamaSettings
) -> dict[str, Any]:
    """A request for the token that would follow the last message, in the prompt of an answer: what is read for it is read for
    the answer, too.
    """
    prompt = answer_prompt(messages, options, settings)
    alone = {"max_tokens": 1, "logprobs": sentence_end.CANDIDATES, "temperature": 0.0}
    return prompt | _STREAMED | alone


def chat_request(
    messages: Sequence[Message],
    options: GenerationOptions,
    settings: LlamaSettings,
    kind: ReplyKind = "words",
    *,
    missing: str = "",
) -> dict[str, Any]:
    """A streaming chat request; the slot is for the caller to add. Raises ``EngineError`` for a choice not on offer.

    Progress is asked for because llama.cpp can stop only where it calls back: with it, after each batch of the prompt.
    """
    if kind == "calls":
        prompt = decision_prompt(messages, options, settings)
    else:
        prompt = answer_prompt(messages, options, settings, missing=missing)
    return (prompt | _STREAMED) | {
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
        **_constraint(
            options, kind, latin=not any(_CJK.search(message.content) for message in messages[1:] or messages)
        ),
    }


def _constraint(options: GenerationOptions, kind: ReplyKind, *, latin: bool) -> dict[str, str]:
    """The grammar of the reply, where there are tools or a schema, and there is a reply; see ``calls_grammar``."""
    if not (options.tools or options.schema is not None) or not options.max_tokens:
        return {}
    if kind == "words":
        return {"grammar": words_grammar(options)}
    try:
        return {"grammar": calls_grammar(options, latin=latin)}
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
        return {"role": message.role, "content": _harmless(render_answer(content, message.tool_calls))}
    rendered: dict[str, Any] = {"role": message.role, "content": _harmless(content)}
    return rendered | call_fields(message)


def _reminded(message: Message) -> str:
    """A user's words, and in what language to answer: small models drift into another one.

    It goes before the words, so that it has been read by the time the last of them are said, and stays there in later prompts,
    so that what was read before stays cached.
    """
    reminder = REMINDERS.get(message.reply_language or "")
    return f"{reminder} {message.content}" if reminder else message.content


def _harmless(content: str) -> str:
    """``content`` without control tokens: llama.cpp would read them as such, so that a text could end its own turn."""
    return _CONTROL_TOKEN.sub("< |", content)
