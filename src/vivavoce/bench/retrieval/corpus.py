"""The corpus and the questions, read from the two files beside this one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from vivavoce.scripts import written_language
from vivavoce.types import Language

_PACKAGE = "vivavoce.bench.retrieval"


@dataclass(frozen=True, slots=True)
class Page:
    """One document."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and where the answer is: ``evidence`` stands in the right passage of ``file``, one of ``answers`` (regular
    expressions) in a right answer. Without a file there is no answer. ``before`` was asked just before."""

    ask: str
    before: str | None
    file: str | None
    evidence: str
    answers: tuple[re.Pattern[str], ...]
    half: Literal["tuned", "held"]

    @property
    def language(self) -> Language:
        """What it is asked in."""
        return written_language(self.ask) or "en"


def pages() -> list[Page]:
    """Every document of the corpus."""
    source = _read("corpus.toml")
    made = []
    for series in source["series"]:
        for row in series["rows"]:
            facts = dict(zip(series["columns"], row, strict=True))
            made += [Page(_filled(page["file"], facts), _filled(page["text"], facts)) for page in series["pages"]]
    return made + [Page(page["file"], page["text"].lstrip()) for page in source["pages"]]


def questions() -> list[Question]:
    """Every question, the odd ones to tune with, the even ones to be reported."""
    return [
        Question(
            ask=row["ask"],
            before=row.get("before"),
            file=row.get("file"),
            evidence=row.get("evidence", ""),
            answers=tuple(re.compile(pattern, re.IGNORECASE) for pattern in row.get("answer", ())),
            half="tuned" if number % 2 else "held",
        )
        for number, row in enumerate(_read("questions.toml")["questions"], 1)
    ]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(_PACKAGE) / name).read_text(encoding="utf-8"))


def _filled(text: str, facts: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: facts[found[1]], text).lstrip()
