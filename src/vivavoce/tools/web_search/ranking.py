"""Which part of a long text is nearest to a query: by the words they share, the rare ones most. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log

PIECE_CHARACTERS = 300
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+|[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_ENDS = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+|\n+")


def terms(text: str) -> list[str]:
    """Words, and pairs of characters where a script has no spaces between its words."""
    result: list[str] = []
    for word in _WORDS.findall(text.casefold()):
        if len(word) > 1 and _CJK.match(word):
            result += [word[at : at + 2] for at in range(len(word) - 1)]
        else:
            result.append(word)
    return result


def pieces(text: str) -> list[str]:
    """``text`` cut at the ends of its sentences into pieces of about ``PIECE_CHARACTERS``, and never much longer."""
    return list(_join(_sentences(text)))


def _sentences(text: str) -> Iterator[str]:
    for sentence in _ENDS.split(text):
        sentence = sentence.strip()
        for start in range(0, len(sentence), 2 * PIECE_CHARACTERS):
            yield sentence[start : start + 2 * PIECE_CHARACTERS]


def _join(sentences: Iterator[str]) -> Iterator[str]:
    piece = ""
    for sentence in sentences:
        if piece and len(piece) + len(sentence) > PIECE_CHARACTERS:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}" if piece else sentence
    if piece:
        yield piece


def nearest(text: str, query: str, max_characters: int) -> str:
    """The pieces of ``text`` nearest to ``query``, in their order, together about ``max_characters``.

    Where nothing is near, the beginning: that is what a page is about.
    """
    cut = pieces(text)
    scores = _scores(cut, frozenset(terms(query)))
    chosen: list[int] = []
    room = max_characters
    for index in sorted(range(len(cut)), key=lambda index: (-scores[index], index)):
        if len(cut[index]) <= room:
            chosen.append(index)
            room -= len(cut[index]) + 1
    joined = " … ".join(cut[index] for index in sorted(chosen))
    return joined or text[:max_characters].strip()


def _scores(cut: Sequence[str], query_terms: frozenset[str]) -> list[float]:
    """BM25 over the pieces, without its correction for length: they are of one length."""
    counts_by_piece = [Counter(term for term in terms(piece) if term in query_terms) for piece in cut]
    holding = Counter(term for counts in counts_by_piece for term in counts)
    weights = {term: log(1 + (len(cut) - many + 0.5) / (many + 0.5)) for term, many in holding.items()}
    return [
        sum(weights[term] * count * 2.2 / (count + 1.2) for term, count in counts.items()) for counts in counts_by_piece
    ]
