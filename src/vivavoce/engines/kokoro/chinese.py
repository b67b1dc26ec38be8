"""Chinese text → phonemes in the alphabet Kokoro v1.0 was trained with: IPA with arrows for tones.

The alphabet is misaki's (``ZHG2P``): words by jieba's dictionary, pinyin by pypinyin, IPA by pinyin-to-ipa, affricates as
one letter, tones as → ↗ ↓ ↘. rjieba holds the same dictionary as jieba and cuts the same words, compiled in: no file is
read or written, and nothing is logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import rjieba
from pinyin_to_ipa import pinyin_to_ipa
from pypinyin import Style, lazy_pinyin

from vivavoce.text.verbalization import verbalize

_SEGMENT = re.compile(
    r"(?P<han>[一-鿿]+)"
    r"|(?P<latin>[A-Za-zÀ-ɏ](?:[A-Za-zÀ-ɏ0-9]|['’.&+\-](?=[A-Za-z0-9])|[ ](?=[A-Za-zÀ-ɏ]))*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_PUNCTUATION = str.maketrans(
    {
        "，": ", ",
        "、": ", ",
        "。": ". ",
        "．": ". ",
        "！": "! ",
        "？": "? ",
        "：": ": ",
        "；": "; ",
        "（": " (",
        "）": ") ",
        **dict.fromkeys("«《「『【〈", " “"),
        **dict.fromkeys("»》」』】〉", "” "),
    }
)
_AFFRICATES = (("tsʰ", "ʦʰ"), ("ts", "ʦ"), ("ʈʂ", "ꭧ"), ("tɕ", "ʨ"))
_TONES = (("˧˩˧", "↓"), ("˧˥", "↗"), ("˥˩", "↘"), ("˥", "→"))
_SYLLABIC = (("ɻ̩", "ɨ"), ("ɹ̩", "ɨ"), ("\u032f", ""))
_SIGNS_IN_WORDS = {"&": "和", "%": "百分号", "+": "加", "=": "等于", "×": "乘", "÷": "除以"}
_SPOKEN_PUNCTUATION = frozenset(';:,.!?—…"()“” ')
_SYLLABLES = 2048
_LETTER_A = "ˈA"
"""Alone in Chinese text, A is a letter and not the article."""


class Chinese:
    """Text → phonemes; Latin words within it go through ``english``."""

    def __init__(self, english: Callable[[str], str]) -> None:
        self._english = english

    def __call__(self, text: str) -> str:
        """Phonemes of ``text``, words parted by spaces, punctuation kept; other characters are left out."""
        prepared = verbalize(text, "zh")
        for sign, sign_in_words in _SIGNS_IN_WORDS.items():
            prepared = re.sub(rf"(?<=[一-鿿])\s*{re.escape(sign)}\s*(?=[一-鿿])", sign_in_words, prepared)
        parts: list[str] = []
        for match in _SEGMENT.finditer(prepared.translate(_PUNCTUATION)):
            if match["han"]:
                parts.append(" ".join(_word(word) for word in rjieba.cut(match["han"])))
            elif match["latin"]:
                parts.append(f" {_LETTER_A if match['latin'] == 'A' else self._english(match['latin'])} ")
            elif match["other"] in _SPOKEN_PUNCTUATION:
                parts.append(match["other"])
            else:
                parts.append(" ")
        return _spaced("".join(parts))


def _spaced(phonemes: str) -> str:
    return re.sub(r" (?=[;:,.!?…”)])", "", re.sub(r"\s+", " ", phonemes)).strip()


def _word(word: str) -> str:
    pinyin = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")
    return "".join(_syllable(syllable) for syllable in pinyin)


@lru_cache(_SYLLABLES)
def _syllable(pinyin: str) -> str:
    """Phonemes of one syllable such as ``zhong1``; the first of the readings pinyin-to-ipa knows."""
    phonemes = "".join(pinyin_to_ipa(pinyin)[0])
    for table in (_AFFRICATES, _TONES, _SYLLABIC):
        for ipa, replacement in table:
            phonemes = phonemes.replace(ipa, replacement)
    return phonemes
