"""The speaking bench: is what is written said as it should be?

Pairs of a written text and of the words it should be spoken as go through the front ends of the voices, without synthesis. A
reading is right when its phonemes are those of the expected words; spaces, stress and punctuation do not count. So the bench
measures what is heard, whoever puts numbers into words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby

from rich.table import Table

from vivavoce.text.clauses import ClauseSplitter
from vivavoce.types import Language

FrontEnds = Mapping[Language, Callable[[str], str]]
"""Text → phonemes, by language."""

CASES_FILE = "speaking_pairs.tsv"
"""One case a line: language, category, written, and the readings that are right, parted by `` | ``."""

UNHINTED = "language"
"""The category of texts that show themselves what language they are in; the others are of a conversation in theirs."""


@dataclass(frozen=True, slots=True)
class PronunciationCase:
    """``readings``: the words ``written`` may be spoken as."""

    language: Language
    category: str
    written: str
    readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PronunciationResult:
    """What a front end made of a case."""

    case: PronunciationCase
    phonemes: str
    right: bool


def read_cases(text: str | None = None) -> list[PronunciationCase]:
    """The cases of ``text``, or those of the project. ``\\n`` in a case is a new line. Raises ``ValueError``."""
    lines = (text or files("vivavoce.bench").joinpath(CASES_FILE).read_text(encoding="utf-8")).splitlines()
    cases: list[PronunciationCase] = []
    for number, line in enumerate(lines, 1):
        fields = line.replace("\\n", "\n").split("\t")
        if len(fields) != 4 or not all(fields):
            raise ValueError(f"line {number}: four fields are expected: language, category, written, readings")
        language, category, written, readings = fields
        cases.append(
            PronunciationCase(language, category, written, tuple(one.strip() for one in readings.split(" | ")))
        )
    return cases


def front_ends() -> FrontEnds:
    """Those of the built-in voices, without their networks."""
    from vivavoce.engines.kokoro.chinese import Chinese  # their dictionaries take a second to load
    from vivavoce.engines.kokoro.japanese import Japanese
    from vivavoce.engines.phonemes.english import English

    english = English()
    return {"en": english, "zh": Chinese(english), "ja": Japanese(english)}


def sounds(phonemes: str) -> str:
    """What is compared of phonemes: sounds and tones."""
    return "".join(char for char in phonemes if (char.isalpha() and char not in "ˈˌ") or char in "→↗↘↓ː")


def spoken(written: str, hint: Language | None, readers: FrontEnds) -> str:
    """The phonemes of a text as a reply would be spoken: clause by clause, each in its language."""
    splitter = ClauseSplitter(hint)
    clauses = [*splitter.push(written), *splitter.flush()]
    return " ".join(readers.get(clause.language, readers["en"])(clause.spoken) for clause in clauses if clause.spoken)


def read(cases: Iterable[PronunciationCase], readers: FrontEnds) -> list[PronunciationResult]:
    """Every case, read and judged."""
    readings: list[PronunciationResult] = []
    for case in cases:
        phonemes = spoken(case.written, None if case.category == UNHINTED else case.language, readers)
        right = {sounds(readers[case.language](reading)) for reading in case.readings}
        readings.append(PronunciationResult(case, phonemes, sounds(phonemes) in right))
    return readings


def share_table(readings: Sequence[PronunciationResult]) -> Table:
    """Right readings per language and category."""
    table = Table(title="Right readings")
    for name in ("language", "category", "pairs", "right", "share"):
        table.add_column(name, justify="left" if name in {"language", "category"} else "right")
    for language, of_language in groupby(readings, key=lambda reading: reading.case.language):
        readings_of_language = sorted(of_language, key=lambda reading: reading.case.category)
        for category, group in groupby(readings_of_language, key=lambda reading: reading.case.category):
            table.add_row(language, category, *_figures(list(group)))
        table.add_row(language, "all", *_figures(readings_of_language), style="bold", end_section=True)
    return table


def _figures(readings: Sequence[PronunciationResult]) -> tuple[str, str, str]:
    right = sum(reading.right for reading in readings)
    return str(len(readings)), str(right), f"{right / len(readings):.1%}"
