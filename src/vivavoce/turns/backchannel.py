"""Sounds a listener makes to say "go on". They are no turn, and no reason to stop speaking."""

from __future__ import annotations

import re

_LATIN = "mhm mmhm mmhmm mm mmm hm hmm hmmm uhhuh uhuh aha ah oh uh um huh"
_CHINESE = "嗯 嗯嗯 嗯哼 哦 噢 喔 啊 唔"
_JAPANESE = "うん うんうん ふうん へえ へー ああ ええ"
_KOREAN = "음 응"

_SOUNDS = frozenset(f"{_LATIN} {_CHINESE} {_JAPANESE} {_KOREAN}".split())
"""Written without hyphens, blanks and punctuation, as recognisers write them in many ways."""

_NOT_LETTERS = re.compile(r"[\W_]+")


def is_backchannel(text: str) -> bool:
    """Whether ``text`` is nothing but such a sound, once or a few times."""
    words = [word for word in (_NOT_LETTERS.sub("", word) for word in text.lower().split()) if word]
    return bool(words) and ("".join(words) in _SOUNDS or all(word in _SOUNDS for word in words))
