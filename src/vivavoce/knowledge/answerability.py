"""Whether passages tell what is asked, before a language model reads them. Pure.

What is found is always the nearest there is, and a small language model answers from it whether or not it tells: of 24
questions without an answer the 1.5B owned up to three. So it is weighed first, by four signs: how near the nearest line is, how
far it stands out from the others, how many of the words asked for stand there, and how many names and numbers do not.
Their weights are a logistic regression over 122 questions about the documents of ``benchmarks/retrieval.py``, those held
back there left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.sentence_scoring import ScoredSentence
from vivavoce.knowledge.words import searchable, terms_of

FIRST = 3
"""The best passages, which are weighed; more would only make the nearest line stand out more."""

CALIBRATED = frozenset({"multilingual-e5-small"})
"""Embedders whose similarities the weights belong to. Others have other scales."""

_BIAS, _NEAREST, _STANDS_OUT, _COVERED, _NAME_MISSING = -43.1, 42.6, 89.5, 4.0, -3.5

_USUAL_LINES, _USUAL_DISTANCE = 6, 0.034
"""Among few lines none can stand out: so many of the usual distance are thought to be beside them."""

_STEM = 4
"""Letters that two forms of a word have in common."""

_MEASURES = frozenset(
    re.findall(
        r"\w+",
        "long far often big large high tall old fast hot heavy strong wide deep early late soon must need take takes until "
        "since come comes give gives want going know find kind sort "
        "多久 多大 多高 多重 多长 多远 多 大 高 重 长 远 几 几天 几点 几个 几次 几年 几号 几月 第几 几号线 是不是 能不能 "
        "可不可以 有没有 花 哪儿 那儿 那里 这里 那么 现在 想 知道 一共 大概 左右 需要 应该 必须",
    )
)
"""Words of questions that an answer rarely repeats: "how long" is answered by hours."""

_OTHER_LANGUAGE = 0.9
"""The share of words that counts for a question in another script than the passages, which have none of them:
the nearest line is farther away then, too."""

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")


OTHER_SCRIPT = 2.0
"""What is allowed off the log odds where question and passages are in different scripts: the nearest line is farther away
then. Of questions in English and Chinese to documents in the other language 24 of 44 that have an answer come that near,
21 of them to the line that has it, and none of 12 that have none (the service bench's tuning half); without it two did."""


def in_other_script(question: str, passages: Sequence[Passage]) -> bool:
    """Whether one of both is written in Chinese or Japanese and the other is not."""
    return bool(passages) and _han(question) != any(_han(passage.text) for passage in passages)


def shares_words(question: str, passages: Sequence[Passage]) -> bool:
    """Whether anything that is asked for stands in ``passages``: a quick look, before their lines are read."""
    return _covered(question, _words_of(passages)) > 0


def answer_log_odds(question: str, lines: Sequence[ScoredSentence], passages: Sequence[Passage]) -> float:
    """How likely ``passages`` tell what is asked, as log odds: 0 is as likely as not.

    ``question`` is what was said; ``lines`` are read for it behind what it leans on.
    """
    similarities = [line.similarity for line in lines]
    if not similarities:
        return float("-inf")
    nearest = max(similarities)
    distances = [nearest - similarity for similarity in similarities]
    stands_out = (sum(distances) + _USUAL_LINES * _USUAL_DISTANCE) / (len(distances) + _USUAL_LINES)
    passage_words = _words_of(passages)
    return (
        _BIAS
        + _NEAREST * nearest
        + _STANDS_OUT * stands_out
        + _COVERED * _covered(question, passage_words)
        + _NAME_MISSING * _names_missing(question, passage_words)
    )


def _words_of(passages: Sequence[Passage]) -> frozenset[str]:
    return frozenset(word for passage in passages for word in searchable(passage.whole).split())


def _covered(question: str, passage_words: frozenset[str]) -> float:
    """The share of the words asked for that stand in the passages, in this form or a like one."""
    if _han(question) != _han(" ".join(passage_words)):
        return _OTHER_LANGUAGE
    terms = [term for term in terms_of(question) if term not in _MEASURES]
    stems = {word[:_STEM] for word in passage_words if len(word) >= _STEM}
    matches = [term in passage_words or (len(term) > _STEM - 1 and term[:_STEM] in stems) for term in terms]
    return sum(matches) / len(matches) if matches else 1.0


def _han(text: str) -> bool:
    return _HAN.search(text) is not None


def _names_missing(question: str, passage_words: frozenset[str]) -> int:
    """How many names (capitals within the question) and numbers are asked for that the passages do not hold."""
    names = [
        word[0]
        for word in _WORD.finditer(question)
        if word[0][0].isdigit()
        or (len(word[0]) > 1 and word[0][0].isupper() and not _begins_sentence(question, word.start()))
    ]
    return sum(word.casefold() not in passage_words for word in names)


def _begins_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \"'(")
    return not before or before[-1] in ".!?:\n"
