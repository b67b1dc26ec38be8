"""Words or calls: the decision, made on the first token of a reply before anything of it is said. Pure.

What the model would write first is a function's name or ``talk`` (``tool_prompt.py``). Small models call too readily, so how
likely the names are together is weighed against ``talk``, instead of taking what is likeliest.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias

from vivavoce.engines.llama.tool_prompt import TALK
from vivavoce.pending_request import question_before
from vivavoce.types import GenerationOptions, Message, TokenScore

ReplyKind: TypeAlias = Literal["words", "calls"]

CANDIDATES = 20
"""How many of the likeliest first tokens are looked at."""


def predetermined(options: GenerationOptions) -> ReplyKind | None:
    """What a reply under ``options`` is without asking the model; ``None`` where that is open."""
    offered = {tool.name for tool in options.tools} - options.withheld
    if (
        options.tool_choice == "none"
        or options.continue_last_message
        or (options.tool_choice == "auto" and not offered)
    ):
        return "words"
    return None if options.tool_choice == "auto" else "calls"


def decided(first: Collection[TokenScore], names: Collection[str], threshold: float) -> ReplyKind:
    """What the reply is to be, by the likeliest first tokens and the ``names`` of the functions on offer.

    ``threshold``: the share of ``talk`` from which on it is words.
    """
    talk = sum(math.exp(score.logprob) for score in first if _begins(score.token, (TALK,)))
    calls = sum(math.exp(score.logprob) for score in first if _begins(score.token, names))
    return "words" if talk >= threshold * (talk + calls) else "calls"


def no_call_threshold(messages: Sequence[Message], options: GenerationOptions, threshold: float) -> float:
    """The share of ``talk`` that makes a reply to ``messages`` words: larger (its square root) where the user answers a
    question of the assistant's, because "Yes, please." sounds like talk whatever it is a yes to, and where a call is likely
    beforehand."""
    return math.sqrt(threshold) if options.likely_call or question_before(messages) else threshold


def _begins(token: str, words: Collection[str]) -> bool:
    start = token.strip()
    return bool(start) and any(word.startswith(start) for word in words)
