"""The words of a text for full-text search: Chinese cut into words, everything in one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import rjieba

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_WORD = re.compile(r"[^\W_]+")
MAX_TERMS = 24
MAX_MATCHES = 5_000
"""Of all the words looked for. Ranking a match takes a microsecond or two: beyond this the commonest words, which tell the
least, are left out."""

STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a about am an and any are as at be been but by can could did do does for from get got had has have he her him his how "
        "i if in into is it its just like may me more much many my no not of on one or our please she should so some tell than "
        "that the their them then there these they this those to too up us was we were what when where which who whom whose "
        "why will with would you your "
        "的 了 是 在 和 与 或 也 都 就 很 我 你 他 她 它 我们 你们 他们 这 那 这个 那个 哪 哪个 哪些 什么 怎么 "
        "怎样 如何 吗 呢 吧 啊 有 没有 多少 几 请 请问 可以 能 会 要 把 被 对 从 到 一个 一下 为 为什么 告诉 谁 哪里 "
        "时候 还 不 之 其 以 及 于 而 上 下 个",
    )
)
"""Words that say nothing about what is asked for; half of all passages hold them."""


def searchable(text: str) -> str:
    """The words of ``text`` with a space between each, for an index that knows spaces only.

    Chinese words are given whole and, where they hold shorter ones, in parts as well.
    """
    normal = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_WORD.findall(_HAN.sub(_segmented, normal)))


def terms_of(question: str) -> list[str]:
    """The words of a question worth looking for, each once; all of them if none is. Single Chinese characters that come of
    longer words are left in: they find what was cut differently."""
    words = list(dict.fromkeys(searchable(question).split()))
    content_words = [word for word in words if word not in STOP_WORDS]
    return (content_words or words)[:MAX_TERMS]


def rankable(counts: Mapping[str, float]) -> list[str]:
    """Of words and how many passages hold them, the rarest ones, as long as all their matches can be ranked in time; at least
    one."""
    terms: list[str] = []
    remaining: float = MAX_MATCHES
    for word in sorted(counts, key=lambda word: (counts[word], word)):
        remaining -= counts[word]
        if terms and remaining < 0:
            break
        terms.append(word)
    return terms


def _segmented(run: re.Match[str]) -> str:
    try:
        words = rjieba.cut_for_search(run[0])
    except Exception:  # noqa: BLE001  a panic of native code, of whatever kind: pairs of characters find words, too
        words = _pairs(run[0])
    return f" {' '.join(words)} "


def _pairs(text: str) -> list[str]:
    return [text[start : start + 2] for start in range(max(1, len(text) - 1))]
