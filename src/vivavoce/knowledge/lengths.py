"""How many tokens a text is, about: no tokenizer agrees with another, and passages need not be exact."""

from __future__ import annotations

import re

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
WIDE_TOKENS = 0.8
"""Of one Chinese, Japanese or Korean character."""

CHARACTERS_A_TOKEN = 4.0
"""Of other text; numbers and signs take more tokens, long words fewer."""


def tokens_of(text: str) -> int:
    """About how many tokens ``text`` is; at least 1."""
    return max(1, round(weight_of(text)))


def weight_of(text: str) -> float:
    """The same before it is rounded: weights of parts can be added up."""
    wide = len(_WIDE.findall(text))
    return wide * WIDE_TOKENS + (len(text) - wide) / CHARACTERS_A_TOKEN
