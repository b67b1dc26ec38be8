"""Token counts as ``response.done`` shows them (Realtime reference, 5.20)."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from vivavoce.protocol.server_events import RateLimits, SessionLimit
from vivavoce.types import GenerationEnd


def usage_object(end: GenerationEnd) -> dict[str, Any]:
    """The documented ``usage`` object. The cascade's language model reads and writes text only, so audio tokens are 0."""
    return {
        "total_tokens": end.input_tokens + end.output_tokens,
        "input_tokens": end.input_tokens,
        "output_tokens": end.output_tokens,
        "input_token_details": {
            "cached_tokens": end.cached_tokens,
            "text_tokens": end.input_tokens,
            "audio_tokens": 0,
            "cached_tokens_details": {"text_tokens": end.cached_tokens, "audio_tokens": 0},
        },
        "output_token_details": {"text_tokens": end.output_tokens, "audio_tokens": 0},
    }


def rate_limits(
    context_tokens: int, end: GenerationEnd | None, session: SessionLimit | UnsetType = UNSET
) -> RateLimits:
    """What a self-hosted conversation is limited by: the language model's context, and what the last prompt left of it.

    ``session`` announces the end of its time.
    """
    used = end.input_tokens + end.output_tokens if end is not None else 0
    remaining = max(context_tokens - used, 0)
    tokens = {"name": "tokens", "limit": context_tokens, "remaining": remaining, "reset_seconds": 0}
    return RateLimits(rate_limits=(tokens,), session=session)
