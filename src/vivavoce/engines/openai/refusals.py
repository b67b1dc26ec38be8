"""What a server does not take of a request, and how it wants to be asked instead. Pure.

Endpoints differ in small things that none of them announces. What one refuses is remembered as long as the engine lives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vivavoce.engines.openai.chat_request import Conventions
from vivavoce.engines.openai.chat_settings import ContinuationStyle

_DISPENSABLE = (
    "stream_options", "parallel_tool_calls", "frequency_penalty", "presence_penalty", "seed", "temperature", "top_p",
)  # fmt: skip
"""Fields a reply does without."""

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context (?:length|window|size)|maximum (?:model|input) length"
    r"|longer than the (?:maximum )?model|too many tokens|prompt is too long",
    re.IGNORECASE,
)
_MAXIMUM = re.compile(
    r"\"n_ctx\": ?(\d+)|(?:context|maximum|limit|max)[^\d]{0,60}?(\d{3,})|(\d{3,}) tokens? (?:maximum|limit)",
    re.IGNORECASE,
)
_SYSTEM_FIRST = re.compile(
    r"system (?:message|role|prompt)|only user and assistant|roles must alternate|must alternate|'system'",
    re.IGNORECASE,
)
_CONTINUATION = re.compile(
    r"continue_final_message|add_generation_prompt|prefill|last message|final message", re.IGNORECASE
)
_REFUSES = re.compile(
    r"unsupported|not supported|unrecognized|unknown|unexpected|extra|not permitted|not allowed|does not support",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TooLong:
    """The prompt, or prompt and reply, do not fit. ``limit`` and ``tokens``: what does, and what came, where that is said."""

    limit: int | None
    tokens: int | None


def too_long(detail: str) -> TooLong | None:
    """Whether a refusal is about the context, and its figures."""
    if not _TOO_LONG.search(detail):
        return None
    if (native := _error(detail)).get("n_prompt_tokens") is not None:  # llama.cpp's server
        return TooLong(native.get("n_ctx"), native["n_prompt_tokens"])
    match = _MAXIMUM.search(detail)
    limit = int(next(filter(None, match.groups()))) if match else None
    tokens = max((int(number) for number in re.findall(r"\d{3,}", detail)), default=None)
    return TooLong(limit, tokens if limit is not None and tokens is not None and tokens > limit else None)


def adapted(conventions: Conventions, detail: str, body: Mapping[str, Any]) -> Conventions | None:
    """How to ask after ``body`` was refused with ``detail``; ``None``: there is no other way."""
    error = _error(detail)
    said = f"{error.get('message', detail)}"
    param = error.get("param")
    if conventions.max_tokens_field == "max_tokens" and "max_completion_tokens" in said:
        return replace(conventions, max_tokens_field="max_completion_tokens")
    if conventions.continuation != "request" and _CONTINUATION.search(said):
        style: ContinuationStyle = "trailing" if conventions.continuation == "flags" else "request"
        return replace(conventions, continuation=style)
    for name in _DISPENSABLE:
        named = param == name or (re.search(rf"\b{name}\b", said) is not None and _REFUSES.search(detail))
        if name in body and named:
            return replace(conventions, omit=conventions.omit | {name})
    if not conventions.system_first and _SYSTEM_FIRST.search(said):
        return replace(conventions, system_first=True)
    return None


def _error(detail: str) -> Mapping[str, Any]:
    """The error object of a refusal, whichever of the usual shapes it has."""
    try:
        body = json.loads(detail)
    except ValueError:
        return {}
    if not isinstance(body, Mapping):
        return {}
    error = body.get("error", body)
    if isinstance(error, str):
        return {"message": error}
    if not isinstance(error, Mapping):
        return {}
    return error if "message" in error else {"message": json.dumps(error, ensure_ascii=False), **error}
