"""Is the sentence over? The share of the next token that ends one. Pure.

That the model would end its message there tells nothing; a mark that ends a sentence does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from vivavoce.types import TokenScore

CANDIDATES = 40
"""How many of the likeliest next tokens are looked at."""

_MARKS = frozenset(".!?。！？．")
_BEHIND = " \t\r\n\"'”’」』)）"
"""What may follow the mark within its token."""


def sentence_end_mass(next_tokens: Iterable[TokenScore]) -> float:
    """The probability in [0, 1] of those of ``next_tokens`` that end a sentence, also where they join a line break."""
    return min(1.0, sum(math.exp(score.logprob) for score in next_tokens if _ends_a_sentence(score.token)))


def opened_prompt(prompt: str, said: str) -> str | None:
    """``prompt`` up to the end of its last message, ``said``: what comes next is its author's.

    ``None``: the chat template shows the message otherwise.
    """
    begin = prompt.rfind(said)
    return None if begin < 0 else prompt[: begin + len(said)]


def _ends_a_sentence(token: str) -> bool:
    """An ellipsis does not, nor does a full stop before a letter (``.com``)."""
    mark = token.strip(_BEHIND)
    return len(mark) in (1, 2) and set(mark) <= _MARKS and mark != ".."
