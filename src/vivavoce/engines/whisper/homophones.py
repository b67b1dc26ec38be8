"""Names a client declares, written as they are: what sounds the same in Mandarin is taken for them.

A name has no context a recogniser could tell its characters from. Only the list at the head of a prompt counts
(``张伟, 王芳.``); what follows its first full stop is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pypinyin import Style, lazy_pinyin

MAX_NAMES = 200
"""As many as there may be hotwords."""

_HEAD = re.compile(r"[^.。！？!?\n]*")
_SEPARATORS = re.compile(r"[,，、;；]")
_NAME = re.compile(r"[\u3400-\u9fff]{2,8}")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_MIN_TONELESS = 3
"""Characters of a name that is known by its syllables alone: two syllables without tones are too many words."""


def declared_names(prompt: str | None) -> Sequence[str]:
    """The names in Han characters in the list a prompt begins with; none for a sentence."""
    head = _HEAD.match(prompt or "")
    listed = [piece.strip() for piece in _SEPARATORS.split(head[0] if head else "")]
    return [name for name in listed if _NAME.fullmatch(name)][:MAX_NAMES]


def with_names(text: str, names: Sequence[str]) -> str:
    """``text`` with what sounds like one of ``names`` replaced by it, the longest first.

    A name of two characters must agree in its tones, too.
    """
    for name in sorted(names, key=len, reverse=True):
        text = _HAN.sub(lambda run, name=name: _in_run(run[0], name), text)  # type: ignore[misc]
    return text


def _in_run(run: str, name: str) -> str:
    if len(run) < len(name) or name in run:
        return run
    style = Style.NORMAL if len(name) >= _MIN_TONELESS else Style.TONE3
    wanted, sounds = lazy_pinyin(name, style=style), lazy_pinyin(run, style=style)
    for start in range(len(run) - len(name) + 1):
        if sounds[start : start + len(name)] == wanted:
            return run[:start] + name + _in_run(run[start + len(name) :], name)
    return run
