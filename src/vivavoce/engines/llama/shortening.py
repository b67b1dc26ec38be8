"""A prompt that turns out to be longer than the context, made shorter. Pure.

Prompts are put together by estimates (``token_estimates.py``), which rare scripts can exceed. A shorter memory is better than
no reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vivavoce.token_estimates import TURN_TOKENS, cut_to, estimate_text, estimate_tokens
from vivavoce.types import Message

LEAST_REPLY = 128
"""Tokens a shortened prompt leaves to the reply, at least."""

OVERESTIMATE = 1.4
"""How many times too long ordinary text is estimated."""


def shortened(messages: Sequence[Message], tokens: int, most_tokens: int) -> list[Message]:
    """``messages``, which make a prompt of ``tokens``, in about ``most_tokens``, or some of the way there.

    The oldest ones behind the system message go first, up to what was asked last; where there are none, the longest loses its
    middle.
    """
    kept = list(messages)
    excess = (tokens - most_tokens) * OVERESTIMATE
    first = 1 if kept and kept[0].role == "system" else 0
    while excess > 0 and first < _asked_last(kept):
        excess -= estimate_tokens(kept.pop(first))
        while first < _asked_last(kept) and kept[first].role == "tool":  # its call is gone
            excess -= estimate_tokens(kept.pop(first))
    if len(kept) == len(messages) and kept:
        longest = max(range(len(kept)), key=lambda at: estimate_text(kept[at].content))
        room = estimate_text(kept[longest].content) - excess - TURN_TOKENS
        kept[longest] = replace(kept[longest], content=cut_to(kept[longest].content, max(int(room), TURN_TOKENS)))
    return kept


def _asked_last(messages: Sequence[Message]) -> int:
    return max((at for at, message in enumerate(messages) if message.role == "user"), default=len(messages) - 1)
