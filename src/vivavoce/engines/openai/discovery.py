"""What an endpoint tells of itself for nothing: which server it is, and how much its model's context holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.engines.openai.chat_settings import ContinuationStyle
from vivavoce.engines.openai.next_mark import OpenTurns
from vivavoce.engines.remote.client import RemoteClient, entries_of, lists, models_in
from vivavoce.engines.remote.errors import RemoteError

log = logging.getLogger(__name__)

TIMEOUT_S = 2.0
MOST_NAMES = 8

_CONTEXT_FIELDS = (
    "max_model_len", "context_length", "loaded_context_length", "max_context_length", "context_window", "context_tokens",
)  # fmt: skip
"""What servers call it: vLLM and SGLang; OpenRouter; LM Studio; Mistral; Groq; Vivavoce."""

_CONTINUATIONS: Mapping[str, ContinuationStyle] = {
    "vllm": "flags",
    "sglang": "flags",
    "llamacpp": "trailing",
    "library": "trailing",
}
"""By ``owned_by``; ``library`` is Ollama's."""

_OPEN_TURNS: Mapping[str, OpenTurns] = {"vllm": "flags", "sglang": "flags", "llamacpp": "template"}
"""By ``owned_by``."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What was found out; ``None``: it does not say."""

    context_tokens: int | None = None
    continuation: ContinuationStyle | None = None
    open_turns: OpenTurns | None = None


async def discover(client: RemoteClient) -> Endpoint | None:
    """Ask ``/models``, and llama.cpp's ``/props`` or Ollama's ``/api/ps``. ``None``: nobody answers."""
    try:
        listed = await client.get("models", TIMEOUT_S)
    except RemoteError:
        return None
    models = models_in(listed)
    entry = _entry(models, client.settings.model)
    owner = str(entry.get("owned_by", ""))
    if not lists(models, client.settings.model):
        names = ", ".join(str(model.get("id")) for model in models[:MOST_NAMES]) + (
            ", …" if models[MOST_NAMES:] else ""
        )
        log.warning(
            "%s: the other side does not list a model '%s'; it has %s", client.engine, client.settings.model, names
        )
    context = _context(entry)
    root = client.root
    if owner == "llamacpp" or (context is None and not entry):
        props = await _asked(client, f"{root}/props")
        settings = props.get("default_generation_settings")
        found = settings.get("n_ctx") if isinstance(settings, Mapping) else None
        context = found if isinstance(found, int) and found else context
    if owner == "library":
        running = await _asked(client, f"{root}/api/ps")
        context = _context(_entry(entries_of(running.get("models")), client.settings.model, key="model")) or context
    return Endpoint(context, _CONTINUATIONS.get(owner), _OPEN_TURNS.get(owner))


async def _asked(client: RemoteClient, url: str) -> Mapping[str, Any]:
    """What only some servers have; without it there is nothing."""
    try:
        return _json(await client.get(url, TIMEOUT_S))
    except RemoteError:
        return {}


def _json(response: Any) -> Mapping[str, Any]:
    try:
        body = response.json() if response.is_success else {}
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}


def _entry(entries: Sequence[Mapping[str, Any]], model: str, key: str = "id") -> Mapping[str, Any]:
    """What a list says of ``model``; of the only one it has, where that has another name."""
    named = [entry for entry in entries if entry.get(key) in (model, f"{model}:latest")]
    return next(iter(named), entries[0] if len(entries) == 1 else {})


def _context(entry: Mapping[str, Any]) -> int | None:
    limits = entry.get("limits")
    for of in (entry, limits if isinstance(limits, Mapping) else {}):
        for name in _CONTEXT_FIELDS:
            if isinstance(value := of.get(name), int) and value > 0:
                return value
    return None
