"""Token counts as ``response.done`` shows them (Realtime reference, 5.20)."""

from __future__ import annotations

from typing import Any

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
