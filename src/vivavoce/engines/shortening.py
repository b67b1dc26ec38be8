"""A prompt that turns out to be longer than the context, made shorter. Pure.

Prompts are put together by estimates (``text/token_estimates.py``), which rare scripts can exceed. A shorter memory is better
than no reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vivavoce.text.token_estimates import TURN_TOKENS, cut_to, estimate_text, estimate_tokens
from vivavoce.types import Message

MIN_REPLY_TOKENS = 128
"""Tokens a shortened prompt leaves to the reply, at least."""

OVERESTIMATE = 1.4
"""How many times too long ordinary text is estimated."""


def shortened(messages: Sequence[Message], tokens: int, max_tokens: int) -> list[Message]:
    """``messages``, which make a prompt of ``tokens``, in about ``max_tokens``, or some of the way there.

    The oldest ones behind the system message go first, up to what was asked last; where there are none, the longest loses its
    middle.
    """
    remaining = list(messages)
    excess = (tokens - max_tokens) * OVERESTIMATE
    first = 1 if remaining and remaining[0].role == "system" else 0
    while excess > 0 and first < _last_request_at(remaining):
        excess -= estimate_tokens(remaining.pop(first))
        while first < _last_request_at(remaining) and remaining[first].role == "tool":  # its call is gone
            excess -= estimate_tokens(remaining.pop(first))
    if len(remaining) == len(messages) and remaining:
        longest = max(range(len(remaining)), key=lambda at: estimate_text(remaining[at].content))
        room = estimate_text(remaining[longest].content) - excess - TURN_TOKENS
        remaining[longest] = replace(
            remaining[longest], content=cut_to(remaining[longest].content, max(int(room), TURN_TOKENS))
        )
    return remaining


def _last_request_at(messages: Sequence[Message]) -> int:
    return max((at for at, message in enumerate(messages) if message.role == "user"), default=len(messages) - 1)
