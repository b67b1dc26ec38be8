"""How many tokens a language model makes of text, guessed on the safe side: prompts are put together where no tokenizer is.

The weights were measured with the tokenizer of the built-in models (Qwen2.5), rounded up. It reads numbers digit by digit and
most scripts other than Latin and Chinese nearly byte by byte, so one figure for all characters would be off threefold.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import ceil

from cachetools import LRUCache, cached

from vivavoce.digests import text_digest
from vivavoce.types import Message

_WEIGHTS = (
    (re.compile(r"[A-Za-z]| (?!\d)"), 0.3),
    (re.compile(r"\d|[ .,:;](?= ?\d)|[\u2e80-\uffff]"), 1.0),
    (re.compile(r"(?![.,:;] ?\d)[\x00-\x1f!-/:-@\[-`{-\x7f]"), 0.67),
    (re.compile(r"[\u0400-\u052f\u0590-\u06ff]"), 0.5),
    (re.compile(r"[\u0080-\u03ff\u0530-\u058f\u0700-\u2e7f]"), 1.2),
    (re.compile(r"[\U00010000-\U0010ffff]"), 3.0),
)
"""Tokens a character: Latin; digits, Chinese, Japanese, Korean; signs; Cyrillic, Hebrew, Arabic; other scripts; emoji."""

MIN_WEIGHT = 0.3
"""Tokens a character, at least."""

SHORT = 512
"""Characters of a text that may be kept to know it again, which is quicker than its digest: a prompt asks for hundreds."""

LONG = 100_000
"""Characters beyond which a text is too long anyhow, and not looked at closely."""

TURN_TOKENS = 8
"""What stands around each message."""


AUDIO_TOKENS_PER_S = 25
"""Of a message that is heard, by the model that has most: Qwen-Omni. Step-Audio has 12.5, gpt-audio 10."""


def estimate_text(text: str) -> int:
    """About how many tokens ``text`` is, rather more."""
    if len(text) <= SHORT:
        return _estimate_short(text)
    return _estimate_long(text) if len(text) <= LONG else ceil(len(text) * MIN_WEIGHT)


@lru_cache(4096)
def _estimate_short(text: str) -> int:
    return _estimate(text)


@cached(LRUCache[bytes, int](4096), key=text_digest)
def _estimate_long(text: str) -> int:
    return _estimate(text)


def _estimate(text: str) -> int:
    return ceil(sum(len(kind.findall(text)) * weight for kind, weight in _WEIGHTS))


def estimate_tokens(message: Message) -> int:
    """About how many tokens a message is, rather more: one that is heard may be read as well."""
    calls = sum(estimate_text(call.name + call.arguments) for call in message.tool_calls)
    heard = ceil(message.audio.seconds * AUDIO_TOKENS_PER_S) if message.audio is not None else 0
    return TURN_TOKENS + heard + estimate_text(message.content) + calls


def cut_to(text: str, max_tokens: int) -> str:
    """``text`` without its middle if it is more than about ``max_tokens``: its beginning and its end say most."""
    if estimate_text(text) <= max_tokens:
        return text
    max_characters = int(max_tokens / MIN_WEIGHT) + 1
    low, high = 0, min(len(text) // 2, max_characters)
    while low < high:
        middle = (low + high + 1) // 2
        tokens = estimate_text(text[:middle]) + estimate_text(text[-middle:])
        low, high = (middle, high) if tokens < max_tokens else (low, middle - 1)
    return f"{text[:low].rstrip()} … {text[len(text) - low :].lstrip()}" if low else "…"
