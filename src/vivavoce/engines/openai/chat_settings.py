"""What can be set about a language model behind a chat completions endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import Field, field_validator

from vivavoce.engines.remote.settings import RemoteSettings
from vivavoce.types import GenerationFeature, ModelAid, Role

ContinuationStyle: TypeAlias = Literal["flags", "trailing", "request"]
"""How a server is told to go on with a reply that has begun; see ``ChatSettings``."""

RESERVED = frozenset({"messages", "stream", "tools", "n"})
"""Fields of the body that are made from the conversation."""


class ChatSettings(RemoteSettings):
    """Settings of one language model elsewhere, beside those of its connection.

    ``context_tokens`` is prompt and reply together; left out, it is asked for. ``body`` are fields put into every request
    (``chat_template_kwargs``, ``reasoning_effort``, ``top_k``), before which ours give way; ``omit`` are fields never sent.
    ``aids`` are what the model needs of the server because it is small. ``features`` are what the endpoint can do.

    ``prefill``: prefixes are cached there and speculation is welcome, so prompts are sent ahead of replies, with one token to
    be written; else nothing is asked for that is not a reply. ``thinking``: thoughts stand between ``<think>`` and
    ``</think>`` at the reply's beginning (``tags``), or the chat template has opened them already (``open``), or there are none
    in the text (``off``); those in fields of their own are always taken. ``thinking_tokens`` are granted beyond what the reply
    may have.

    ``max_tokens_field`` is the name of that bound. ``continuation``: the beginning of a reply is continued by vLLM's flags, by
    being the last message (``trailing``), or by asking for it. ``system_messages``: ``first``, where a chat template has only
    one at the beginning: those further behind become the user's. ``roles`` are other names of roles.
    """

    context_tokens: int | None = Field(default=None, ge=256)
    body: Mapping[str, Any] = Field(default_factory=dict)
    omit: frozenset[str] = frozenset()
    aids: frozenset[ModelAid] = frozenset({"guard"})
    features: frozenset[GenerationFeature] = frozenset({"schema", "logprobs"})
    prefill: bool = False
    thinking: Literal["tags", "open", "off"] = "tags"
    thinking_tokens: int = Field(default=0, ge=0)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    continuation: Literal["auto", "flags", "trailing", "request"] = "auto"
    system_messages: Literal["anywhere", "first"] = "anywhere"
    roles: Mapping[Role, str] = Field(default_factory=dict)

    @field_validator("body")
    @classmethod
    def _check_body(cls, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if taken := sorted(RESERVED & body.keys()):
            raise ValueError(f"'{taken[0]}' comes from the conversation and cannot be set")
        return body
