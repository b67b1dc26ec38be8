"""Japanese text → phonemes: readings by Open JTalk's front end, whose dictionary lies in its wheel.

Kokoro v1.0 was trained on readings from UniDic (fugashi); Open JTalk gives the same pronunciations in kana, reads
numbers, counters and currencies by itself, and installs everywhere as a wheel.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyopenjtalk

from vivavoce.engines.kokoro.kana import kana_phonemes
from vivavoce.text.verbalization import verbalize

_LATIN = re.compile(r"[A-Za-z][A-Za-z'.&+\-]*")
_SYMBOL = "記号"
_FILLER = "フィラー"
"""The part of speech Open JTalk gives to Latin words it does not know and would spell letter by letter."""

_CONTINUING = frozenset({"て", "で", "ば", "たり"})
_DEVOICED = str.maketrans("", "", "’'")
_PUNCTUATION = {
    **dict.fromkeys("。．.", "."),
    **dict.fromkeys("、，,", ","),
    **dict.fromkeys("！!", "!"),
    **dict.fromkeys("？?", "?"),
    **dict.fromkeys("：:", ":"),
    **dict.fromkeys("；;", ";"),
    **dict.fromkeys("「『《«【", "“"),
    **dict.fromkeys("」』》»】", "”"),
    **dict.fromkeys("〜～—―", "—"),
    **dict.fromkeys("…‥", "…"),
}


@dataclass(slots=True)
class _Word:
    """``kana`` of a spoken word, or the phonemes that stand for a mark or a Latin word."""

    kana: str = ""
    latin: str = ""
    mark: str = ""

    @property
    def phonemes(self) -> str:
        # Open JTalk writes a long i as two (いい, 新しい); the training data has one lengthened.
        return self.mark or self.latin or kana_phonemes(self.kana).replace("ii", "iː")


class Japanese:
    """Text → phonemes; Latin words that have no Japanese reading go through ``english``.

    Sudachi's second opinion on homographs is left off: its dictionary costs 80 MB and 0.3 s. It is opened only when a
    text has a kanji Open JTalk does not know.
    """

    def __init__(self, english: Callable[[str], str]) -> None:
        self._english = english

    def __call__(self, text: str) -> str:
        """Phonemes of ``text``, words parted by spaces, punctuation kept."""
        prepared = verbalize(text, "ja")
        nodes: Sequence[Any] = pyopenjtalk.run_frontend(prepared, use_sudachi_kanji_yomi=False)
        return _joined(self._words(nodes))

    def _words(self, nodes: Sequence[Any]) -> Iterator[_Word]:
        word = _Word()
        previous: Any = None
        for node in nodes:
            piece = self._word(node)
            if previous is not None and piece.kana and word.kana and _is_one_word(previous, node):
                word.kana += piece.kana
            else:
                yield word
                word = piece
            previous = node
        yield word

    def _word(self, node: Any) -> _Word:
        if node["pos"] == _SYMBOL:
            return _Word(mark="".join(_PUNCTUATION.get(char, "") for char in node["string"]))
        surface = unicodedata.normalize("NFKC", node["string"])
        if node["pos"] == _FILLER and _LATIN.fullmatch(surface):
            return _Word(latin=self._english(surface))
        return _Word(kana=node["pron"].translate(_DEVOICED))


def _is_one_word(previous: Any, node: Any) -> bool:
    """Whether Open JTalk cut where the training data has no space.

    That is before a lengthening (ましょ|う), around a glottal stop (行っ|て), within numbers and before their counters
    (三|十|分), and before the endings of verbs (し|ます, い|て).
    """
    if node["pron"].startswith(("ー", "ッ")) or previous["pron"].endswith("ッ"):
        return True
    if node["chain_flag"] != 1:
        return False
    if previous["pos_group1"] == "数" and node["pos"] == "名詞":
        return True
    ending = node["pos"] == "助動詞" or node["string"] in _CONTINUING
    return ending and previous["pos"] in {"動詞", "助動詞"}


def _joined(words: Iterator[_Word]) -> str:
    text = ""
    opened = True
    for word in words:
        phonemes = word.phonemes
        if not phonemes:
            continue
        closing = word.mark.startswith((".", ",", "!", "?", ":", ";", "—", "…", "”"))
        text += phonemes if closing or opened else f" {phonemes}"
        opened = word.mark == "“"
    return re.sub(r"\s+", " ", text).strip()
