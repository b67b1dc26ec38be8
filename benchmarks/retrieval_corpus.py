"""The corpus and the questions, read from the two files beside this one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vivavoce.text.scripts import written_language
from vivavoce.types import Language


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """One document."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class CorpusQuestion:
    """What is asked, and where the answer is: ``evidence`` stands in the right passage of ``file``, one of ``answers`` (regular
    expressions) in a right answer. Without a file there is no answer. ``before`` was asked just before."""

    ask: str
    before: str | None
    file: str | None
    evidence: str
    answers: tuple[re.Pattern[str], ...]
    half: Literal["dev", "test"]

    @property
    def language(self) -> Language:
        """What it is asked in."""
        return written_language(self.ask) or "en"


def pages() -> list[CorpusDocument]:
    """Every document of the corpus."""
    source = _read("corpus.toml")
    made = []
    for series in source["series"]:
        for row in series["rows"]:
            facts = dict(zip(series["columns"], row, strict=True))
            made += [
                CorpusDocument(_filled(page["file"], facts), _filled(page["text"], facts)) for page in series["pages"]
            ]
    return made + [CorpusDocument(page["file"], page["text"].lstrip()) for page in source["pages"]]


def questions() -> list[CorpusQuestion]:
    """Every question, the odd ones to tune with, the even ones to be reported."""
    return [
        CorpusQuestion(
            ask=row["ask"],
            before=row.get("before"),
            file=row.get("file"),
            evidence=row.get("evidence", ""),
            answers=tuple(re.compile(pattern, re.IGNORECASE) for pattern in row.get("answer", ())),
            half="dev" if number % 2 else "test",
        )
        for number, row in enumerate(_read("questions.toml")["questions"], 1)
    ]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(f"retrieval_{name}").read_text(encoding="utf-8"))


def _filled(text: str, facts: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: facts[found[1]], text).lstrip()
