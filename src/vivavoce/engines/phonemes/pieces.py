"""Cuts phonemes into pieces one run can take, and short enough that a cancelled reply stops soon."""

from __future__ import annotations

import re
from collections.abc import Iterator

PIECE_PHONEMES = 80
"""About 4 s of speech or 20 Chinese characters, so that a run takes little over a second on two cores.

Shorter pieces would sound worse than they save: melody and tempo are planned for a piece as a whole.
"""

_PUNCTUATED = re.compile(r"(?<=[.!?…;:,—])[”\")]*\s+")
_SPACE = re.compile(r"\s+")


def pieces(phonemes: str, limit: int = PIECE_PHONEMES) -> list[str]:
    """Pieces of at most ``limit`` characters, cut after punctuation, else between words, else anywhere.

    Neighbouring parts are joined while they fit. Pieces that hold punctuation only are dropped.
    """
    packed: list[str] = []
    for part in _within(phonemes.strip(), limit, (_PUNCTUATED, _SPACE)):
        if packed and len(packed[-1]) + 1 + len(part) <= limit:
            packed[-1] = f"{packed[-1]} {part}"
        else:
            packed.append(part)
    return [piece for piece in packed if any(char.isalnum() for char in piece)]


def _within(text: str, limit: int, cuts: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    """``text`` in parts no longer than ``limit``, cut at the first pattern of ``cuts`` that gets it there."""
    if len(text) <= limit:
        if text:
            yield text
    elif not cuts:
        yield from (text[at : at + limit] for at in range(0, len(text), limit))
    else:
        for part in _balanced(_parts(text, cuts[0]), limit):
            yield from _within(part, limit, cuts[1:])


def _parts(text: str, cut: re.Pattern[str]) -> list[str]:
    ends = [match.end() for match in cut.finditer(text)]
    return [
        part for start, end in zip([0, *ends], [*ends, len(text)], strict=True) if (part := text[start:end].strip())
    ]


def _balanced(parts: list[str], limit: int) -> list[str]:
    """Join ``parts`` into groups of about equal length, so that no run is left with a stray last word."""
    total = sum(len(part) + 1 for part in parts)
    target = total / -(-total // limit)
    groups: list[str] = []
    for part in parts:
        if groups and len(groups[-1]) + len(part) / 2 <= target and len(groups[-1]) + 1 + len(part) <= limit:
            groups[-1] = f"{groups[-1]} {part}"
        else:
            groups.append(part)
    return groups
