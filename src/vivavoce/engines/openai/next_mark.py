"""How likely a server's model thinks that the user's sentence is over: their message is left open, and one token asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.engines.sentence_end import opened_prompt, sentence_end_mass
from vivavoce.types import TokenScore

OpenTurns: TypeAlias = Literal["flags", "template"]
"""How a server goes on with a message of the user: by vLLM's and SGLang's ``continue_final_message``, or by llama.cpp's
``/apply-template``, whose prompt is cut behind the message and completed."""

CANDIDATES = 20
"""Likeliest next tokens that are asked for: OpenAI's and vLLM's most."""

_MAX_BYTES = 1024 * 1024


async def next_mark(client: RemoteClient, body: Mapping[str, Any], how: OpenTurns) -> float | None:
    """The probability that the last message of ``body``, a chat request, ends its sentence there. ``None``: the other side does
    not tell. Raises ``RemoteError``."""
    if how == "flags":
        plain = {name: value for name, value in body.items() if name not in _OF_REPLIES}
        open_ended = {"continue_final_message": True, "add_generation_prompt": False}
        return _mass(await _asked(client, "chat/completions", plain | _ONE_TOKEN | open_ended))
    template = {name: value for name, value in body.items() if name in _TEMPLATE_FIELDS}
    filled = await _asked(client, f"{client.root}/apply-template", template)
    prompt = opened_prompt(str(filled.get("prompt", "")), body["messages"][-1]["content"])
    if prompt is None:
        return None
    request = {"model": body["model"], "prompt": prompt, "logprobs": CANDIDATES} | _ONE_TOKEN
    return _mass(await _asked(client, "completions", request))


_ONE_TOKEN: dict[str, Any] = {"stream": False, "max_tokens": 1, "temperature": 0.0}
_OF_REPLIES = frozenset({"stream_options", "max_completion_tokens", "stop"})
_TEMPLATE_FIELDS = frozenset({"messages", "tools", "tool_choice", "parallel_tool_calls", "chat_template_kwargs"})


async def _asked(client: RemoteClient, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    async with client.post(path, json=body) as answer:
        content = await answer.body(_MAX_BYTES)
    try:
        parsed = json.loads(content)
    except ValueError as error:
        raise RemoteError(client.engine, "sent JSON that is none") from error
    return parsed if isinstance(parsed, Mapping) else {}


def _mass(answer: Mapping[str, Any]) -> float | None:
    try:
        candidates = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        scores = [TokenScore(str(one["token"]), b"", float(one["logprob"])) for one in candidates]
    except (LookupError, TypeError, ValueError):
        return None
    return sentence_end_mass(scores)
