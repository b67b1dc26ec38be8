"""Pronunciations a client sets: ``绯闻/fei1闻``, ``LOL/laugh out loudly`` (audio reference, section 1.1).

Pinyin in them becomes the character that is read so and in no other way: every voice that reads Chinese can say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from vivavoce.errors import ClientError

MAX_ENTRIES = 200
MAX_CHARACTERS = 100

_PINYIN = re.compile(r"(?<![A-Za-zü])([a-zü:]{1,7})([1-5])(?![0-9])", re.IGNORECASE)
_LATIN = re.compile(r"[A-Za-z0-9]")


class Pronunciations:
    """Replaces words by how they are to be said. Without entries nothing changes."""

    def __init__(self, entries: Iterable[str] = (), *, param: str = "pronunciation_map") -> None:
        """``entries``: word, slash, pronunciation. Raises ``ClientError`` naming the entry that cannot be."""
        self._spellings: dict[str, str] = {}
        for index, entry in enumerate(entries):
            entry_param = f"{param}.tone[{index}]"
            word, slash, spelling = (part.strip() for part in entry.partition("/"))
            if index >= MAX_ENTRIES:
                raise ClientError(f"More than {MAX_ENTRIES} pronunciations.", param=f"{param}.tone")
            if not (word and slash and spelling) or max(len(word), len(spelling)) > MAX_CHARACTERS:
                raise ClientError(
                    f"A pronunciation is 'word/how it is said', each of at most {MAX_CHARACTERS} characters.",
                    param=entry_param,
                )
            self._spellings[word] = spelled_out(spelling, entry_param)
        # The longest word first: 重庆 before 重.
        words = sorted(self._spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_bounded, words))) if words else None

    def __call__(self, text: str) -> str:
        """``text`` with every word that has one written as it is said."""
        return text if self._pattern is None else self._pattern.sub(lambda match: self._spellings[match[0]], text)


def spelled_out(spelling: str, param: str | None = None) -> str:
    """Pinyin with tones (1–4) as characters; other text stays. Raises ``ClientError`` for a syllable without one."""

    def character(match: re.Match[str]) -> str:
        syllable = match[1].lower().replace("u:", "v").replace("ü", "v")
        tones = _characters().get(syllable)
        if tones is None:
            return match[0]  # no pinyin: "mp3"
        if match[2] not in tones:
            raise ClientError(f"No character is read {match[0]} by itself.", code="unsupported_value", param=param)
        return tones[match[2]]

    return _PINYIN.sub(character, spelling)


def _bounded(word: str) -> str:
    """A pattern for ``word``; one of Latin letters is not found within a longer one."""
    before = r"(?<![A-Za-z0-9])" if _LATIN.match(word[0]) else ""
    after = r"(?![A-Za-z0-9])" if _LATIN.match(word[-1]) else ""
    return f"{before}{re.escape(word)}{after}"


@lru_cache(1)
def _characters() -> Mapping[str, Mapping[str, str]]:
    """Syllable → tone → the commonest character with the fewest readings whose own is this one."""
    from pypinyin import Style, lazy_pinyin  # its tables take a second to import, and few requests need them
    from pypinyin.constants import PINYIN_DICT

    best: dict[str, tuple[int, bytes, str]] = {}
    for codepoint, readings in PINYIN_DICT.items():
        try:
            common = chr(codepoint).encode("gb2312")  # sorted by use: its first half are the everyday characters
        except UnicodeEncodeError:
            continue
        if len(common) < 2:
            continue
        (reading,) = lazy_pinyin(chr(codepoint), style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)
        rank = (readings.count(","), common, chr(codepoint))
        best[reading] = min(rank, best.get(reading, rank))
    tones: dict[str, dict[str, str]] = {}
    for reading, (_, _, character) in best.items():
        tones.setdefault(reading[:-1], {})[reading[-1]] = character
    return tones
