"""What the bench found, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from retrieval_latency import SpokenQuestion
from retrieval_measure import FIRST, Answered, Found
from retrieval_scale import Speed
from rich.table import Table

HALVES = ("dev", "test")
LANGUAGES = ("en", "zh")


def quality(searches: Sequence[Found], answered: Sequence[Answered]) -> dict[str, Any]:
    """Figures of one set of questions. Shares are of those that have an answer, or have none, as the name says."""
    answerable = [one for one in searches if one.question.file is not None]
    right = [one for one in answered if one.question.file is not None]
    absent = [one for one in answered if one.question.file is None]
    return {
        "questions": len(searches),
        "right_passage_first": _share([one.rank == 1 for one in answerable]),
        f"right_passage_in_{FIRST}": _share([one.rank > 0 for one in answerable]),
        "searched_unasked": _share([one.unasked for one in answerable]),
        "right_answer": _share([one.right for one in right]),
        "right_or_honest": _share([one.right or one.honest for one in [*right, *absent]]),
        "absent_refused": _share([one.right for one in absent]),
        "search_ms": _median([one.search_ms for one in searches]),
        "question_to_first_word_ms": _median([one.first_ms for one in answered]),
    }


def speed(of: Speed) -> dict[str, Any]:
    """Figures of the search among many passages."""
    return {
        "passages": of.passages,
        "search_p50_ms": _median(of.total_ms),
        "search_p95_ms": round(sorted(of.total_ms)[int(len(of.total_ms) * 0.95)], 1),
        "embedding_p50_ms": _median(of.embed_ms),
        "index_p50_ms": _median(of.search_ms),
        "first_search_ms": round(of.first_ms, 1),
        "nearest_ten_found": round(of.recall, 3),
    }


def latency(spoken: Sequence[SpokenQuestion]) -> dict[str, Any]:
    """What a search adds to the time from the question to the first audio; medians of the questions it was searched for."""
    counted = [one for one in spoken if one.counts]
    searched = [one.searched for one in counted]
    return {
        "questions": len(spoken),
        "searched_for": len(counted),
        "called_after_ms": _median([marks.called_ms or 0.0 for marks in searched]),
        "found_after_ms": _median([marks.found_ms or 0.0 for marks in searched]),
        "first_audio_ms": _median([marks.audio_ms or 0.0 for marks in searched]),
        "first_audio_without_the_tool_ms": _median([one.plain.audio_ms or 0.0 for one in counted]),
        "added_ms": _median([(one.searched.audio_ms or 0.0) - (one.plain.audio_ms or 0.0) for one in counted]),
    }


def as_json(
    searches: Sequence[Found],
    answered: Sequence[Answered],
    spoken: Sequence[SpokenQuestion],
    scale: Speed | None,
    model: str | None,
) -> dict[str, Any]:
    """Everything, question by question, too."""
    said = {id(one.question): one for one in answered}
    return {
        "model": model,
        **{half: quality(*_of(half, searches, answered)) for half in HALVES},
        "all": quality(searches, answered),
        "first_audio": {language: latency(_in(language, spoken)) for language in LANGUAGES} if spoken else None,
        "scale": speed(scale) if scale else None,
        "turns": [
            {
                "ask": one.question.ask,
                "half": one.question.half,
                "rank": one.rank,
                "similarity": round(one.similarity, 4),
                "has_answer": one.question.file is not None,
                "said": said[id(one.question)].text if id(one.question) in said else None,
                "right": said[id(one.question)].right if id(one.question) in said else None,
            }
            for one in searches
        ],
    }


def tables(
    searches: Sequence[Found], answered: Sequence[Answered], spoken: Sequence[SpokenQuestion], scale: Speed | None
) -> list[Table]:
    """For the terminal."""
    result = [_table("", {half: quality(*_of(half, searches, answered)) for half in HALVES})]
    if spoken:
        result.append(_table("to the first audio", {one: latency(_in(one, spoken)) for one in LANGUAGES}))
    if scale is not None:
        result.append(_table("among many passages", {"": speed(scale)}))
    return result


def _table(title: str, columns: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title, *columns)
    for name in next(iter(columns.values())):
        table.add_row(name.replace("_", " "), *(_shown(name, column[name]) for column in columns.values()))
    return table


def _in(language: str, spoken: Sequence[SpokenQuestion]) -> list[SpokenQuestion]:
    return [one for one in spoken if one.question.language == language]


def _of(half: str, searches: Sequence[Found], answered: Sequence[Answered]) -> tuple[list[Found], list[Answered]]:
    return [one for one in searches if one.question.half == half], [
        one for one in answered if one.question.half == half
    ]


def _share(values: Sequence[bool]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 1) if values else None


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) or name.endswith("_ms") else f"{value:.1%}"
