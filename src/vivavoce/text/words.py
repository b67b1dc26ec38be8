"""Where words and sentences end: abbreviations, list numbers, words that must not stand last, Chinese words."""

from __future__ import annotations

import re
from itertools import pairwise


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NEVER_LAST = _listed(
    """
    dr mr mrs ms mx prof st gen sen rep gov lt sgt col capt cmdr rev hon vs cf e.g i.e eg ie approx fig figs vol pp mt ft
    est incl attn apt a.k.a
    jan feb mar apr jun jul aug sep sept oct nov dec
    """
)
"""Abbreviations (without their last stop) that something always follows."""

_BEFORE_NUMBERS = frozenset({"no", "nos", "p", "ch", "sec", "art", "ver", "rm", "ext", "tel", "fl", "ste", "bldg"})
_INITIALS = re.compile(r"(?:[A-Z]\.)*[A-Z]$|(?:Ph|B|M)\.[A-Z]$")
_LIST_NUMBER = re.compile(r"(?:^|\n)[ \t*_]*\d{1,3}$")
_LAST_TOKEN = re.compile(r"[A-Za-z][A-Za-z.]*$")
_LOOK_BACK = 16

_FUNCTION_WORDS = _listed(
    """
    a an the of to in on at by for from with as and or but nor so if that which who whose than into onto over under about
    is are was were be been am has have had do does did will would can could should may might must shall not very
    my your his her its our their this these those i you he she it we they no every each some any
    """
)
"""English words a pause after which sounds like a fault."""

_LEANS_BACK = frozenset("的了着过地得吗呢吧啊呀们里上下中后前时个")
_LEANS_FORWARD = frozenset(
    "在把被和与或及是很不没从对向给为由以于跟比让使用到最更太都也就还又再会能要可我你他她它这那每第一的"
) | {
    "可以",
    "一个",
    "这个",
    "那个",
}
"""Chinese words that belong to the one before, and to the one after."""

_HIRAGANA = re.compile(r"[ぁ-ゖー]")
_KATAKANA = re.compile(r"[ァ-ヺ]ー[ァ-ヺ]")
_KANA = re.compile(r"[ぁ-ヺ]")
_HAN_NUMERALS = frozenset("零〇一二两三四五六七八九十百千万亿")
_HONORIFIC = frozenset("おご")


def ends_sentence(before: str, following: str) -> bool:
    """Whether a single full stop after ``before`` ends a sentence. ``following``: the next character that is not blank."""
    if following.islower() or _LIST_NUMBER.search(before[-_LOOK_BACK:]):
        return False
    token = _LAST_TOKEN.search(before[-_LOOK_BACK:])
    if token is None:
        return True
    word = token[0]
    if word.lower() in _NEVER_LAST or (word.lower() in _BEFORE_NUMBERS and following.isdigit()):
        return False
    return word == "I" or not _INITIALS.match(word)


def within_han_number(before: str, following: str) -> bool:
    """Whether a number, a time or a date in Han characters goes on between two characters."""
    return following in _HAN_NUMERALS and (before in _HAN_NUMERALS or before in "点年月") and bool(before)


def ends_on_function_word(text: str) -> bool:
    """Whether the last English word of ``text`` wants another after it."""
    words = text.rsplit(maxsplit=1)
    return bool(words) and words[-1].strip("\"'“‘(*_").lower() in _FUNCTION_WORDS


def word_boundary(text: str, lookahead: int, reach: int = 8) -> int:
    """The last good place to cut running Chinese or Japanese ``text``, as an index; 0 when there is none.

    Only the ``reach`` characters before the last ``lookahead`` are looked at: what ends there is known to be whole.
    """
    boundaries = _japanese_boundaries(text) if _KANA.search(text) else _chinese_boundaries(text)
    within = [at for at in boundaries if max(1, len(text) - lookahead - reach) <= at <= len(text) - lookahead]
    return within[-1] if within else 0


def _japanese_boundaries(text: str) -> list[int]:
    """A phrase ends in hiragana; what follows it starts in another script (今日は|天気が|いい)."""
    return [
        at
        for at in range(1, len(text))
        if _HIRAGANA.match(text[at - 1]) and text[at].isalnum() and not _HIRAGANA.match(text[at])
        if text[at - 1] not in _HONORIFIC and not _within_katakana(text, at)
    ]


def _within_katakana(text: str, at: int) -> bool:
    """Whether the long mark before ``at`` is of a katakana word (シー|ズン)."""
    return bool(_KATAKANA.match(text[max(0, at - 2) : at + 1]))


def _chinese_boundaries(text: str) -> list[int]:
    import rjieba  # its dictionary is built in at import, in a fifth of a second; the Kokoro synthesizer has done it before

    words = rjieba.cut(text)
    boundaries, at = [], 0
    for word, following in pairwise(words):
        at += len(word)
        if (
            word not in _LEANS_FORWARD
            and following not in _LEANS_BACK
            and following[0].isalnum()
            and word[-1].isalnum()
        ):
            boundaries.append(at)
    return boundaries
