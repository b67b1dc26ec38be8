"""Text → the tokens ZipVoice was trained with: espeak's phonemes for English, initials and finals for Chinese.

sherpa-onnx spells by a lexicon and leaves out, without a word, what is not in it; and the lexicon in its archive is of Chinese
words. So the spelling is ours: English through the rules and the lexicon Kokoro's speech uses, rewritten from Kokoro's
alphabet into espeak's, which spell every word; Chinese by pypinyin, as ZipVoice's own front end does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import rjieba
from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_finals_tone3, to_initials

from vivavoce.engines.phonemes.english import English
from vivavoce.text.verbalization import verbalize
from vivavoce.types import Language

MIN_LENGTH, MAX_LENGTH = 24, 120
"""Of a piece, in phonemes of English: below the first a sentence is joined to the next, and 120 take about 7 s to say.

The clip is worked through again for every piece, so short ones cost; long ones are not left off when they are interrupted.
"""

_TOKEN = re.compile(r"(.+?)[\t ]\d+$")
_HAN = re.compile(r"([\u3400-\u9fff]+)")
_READABLE = re.compile(r"[a-zA-ZÀ-ɏ\u3400-\u9fff]")
_SYLLABLE = re.compile(r"[a-zü]+[1-5]$")
_PUNCTUATION = str.maketrans("，、。．！？；：（）‘’“”", ",,..!?;:()''\"\"")
_ENDS = frozenset(".!?;")
_PAUSES = frozenset(",:)") | _ENDS

_ESPEAK = (
    ("ɜɹ", "ɜː"),
    ("əɹ", "ɚ"),
    ("ˈi", "ˈiː"),
    ("ˌi", "ˌiː"),
    ("u", "uː"),
    ("ɑ", "ɑː"),
    ("ɔ", "ɔː"),
    ("A", "eɪ"),
    ("I", "aɪ"),
    ("O", "oʊ"),
    ("W", "aʊ"),
    ("Y", "ɔɪ"),
    ("T", "ɾ"),
    ("ʧ", "tʃ"),
    ("ʤ", "dʒ"),
    ("ᵊ", "ə"),
    ("—", ","),
    ("…", "."),
)
"""What Kokoro and espeak write for American English, to be replaced in this order: diphthongs bring vowels of their own."""

_ENGLISH = frozenset("əɹˈː")
"""Tokens without which there is no English."""


class Spelling:
    """Spells with the tokens of ``tokens.txt``."""

    def __init__(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        self._tokens = frozenset(match[1] for line in lines if (match := _TOKEN.match(line)))
        self._english = English()

    @property
    def languages(self) -> frozenset[Language]:
        """What there are tokens for."""
        languages: set[Language] = set()
        if self._tokens >= _ENGLISH:
            languages.add("en")
        if any(_is_initial(token) for token in self._tokens):
            languages.add("zh")
        return frozenset(languages)

    def __call__(self, text: str, language: Language) -> list[str]:
        """The tokens of a text; those of words that have none (in other scripts) are left out. Blocking."""
        if language == "zh":
            text = verbalize(text, "zh")
        parts = _HAN.split(text.translate(_PUNCTUATION))
        spelled = (token for part in parts if part for token in self._part(part))
        return [token for token in spelled if token in self._tokens]

    def _part(self, part: str) -> Iterable[str]:
        if _HAN.match(part):
            return _chinese(part)
        if any(character.isalnum() for character in part):
            return _english(self._english(part))
        return part


def is_foreign(text: str) -> bool:
    """Whether there are letters of other scripts, which would be left out or read by their names."""
    return any(letter.isalpha() and not _READABLE.match(letter) for letter in text)


def has_sound(tokens: Iterable[str]) -> bool:
    """Whether there is more to them than punctuation."""
    return any(token[0].isalpha() for token in tokens)


def pieces(tokens: list[str]) -> list[list[str]]:
    """What is made in one go: sentence by sentence, long ones in parts, short ones together."""
    cut: list[list[str]] = []
    piece: list[str] = []
    weight = 0
    for token in tokens:
        piece.append(token)
        weight += _weight(token)
        if (token in _ENDS and weight >= MIN_LENGTH) or weight >= MAX_LENGTH:
            at = len(piece) if token in _ENDS else _break(piece)
            cut.append(piece[:at])
            piece = piece[at:]
            weight = sum(map(_weight, piece))
    if cut and (weight < MIN_LENGTH or not has_sound(piece)):
        cut[-1] += piece
    else:
        cut.append(piece)
    return [_stripped(sentence_part) for sentence_part in cut if has_sound(sentence_part)]


def _stripped(piece: list[str]) -> list[str]:
    start = next(at for at, token in enumerate(piece) if token != " ")
    return piece[start : _last(piece, lambda token: token != " ")]


def _break(piece: list[str]) -> int:
    """Where to cut within a sentence: after its last pause, else between words, else between syllables."""
    half = len(piece) // 2
    for breaks in (_PAUSES, {" "}):
        if (at := _last(piece, breaks.__contains__)) > half:
            return at
    return _last(piece, lambda token: not _is_initial(token))


def _last(piece: list[str], ends: Callable[[str], bool]) -> int:
    """Behind the last token of which ``ends`` holds; 0 when there is none."""
    return next((at for at in range(len(piece), 0, -1) if ends(piece[at - 1])), 0)


def _weight(token: str) -> int:
    return 2 if len(token) > 1 else 1


def _is_initial(token: str) -> bool:
    return len(token) > 1 and token[-1] == "0" and token[:-1].isalpha()


def _english(phonemes: str) -> str:
    for kokoros, espeaks in _ESPEAK:
        phonemes = phonemes.replace(kokoros, espeaks)
    return phonemes


def _chinese(words: str) -> Iterator[str]:
    """``zhong1`` → ``zh0``, ``ong1``: the ``0`` keeps initials apart from phonemes of English."""
    syllables = lazy_pinyin(
        rjieba.cut(words), style=Style.TONE3, tone_sandhi=True, neutral_tone_with_five=True, errors="ignore"
    )
    for syllable in syllables:
        if _SYLLABLE.match(syllable):
            if initial := to_initials(syllable, strict=False):
                yield f"{initial}0"
            yield to_finals_tone3(syllable, strict=False, neutral_tone_with_five=True)
