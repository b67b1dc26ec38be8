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

from vivavoce.runtime.clauses import ClauseSplitter
from vivavoce.types import Language

FrontEnds = Mapping[Language, Callable[[str], str]]
"""Text → phonemes, by language."""

PAIRS = "speaking_pairs.tsv"
"""One pair a line: language, category, written, and the readings that are right, parted by `` | ``."""

UNHINTED = "language"
"""The category of texts that show themselves what language they are in; the others are of a conversation in theirs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """``readings``: the words ``written`` may be spoken as."""

    language: Language
    category: str
    written: str
    readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a front end made of a pair."""

    pair: Pair
    phonemes: str
    right: bool


def read_pairs(text: str | None = None) -> list[Pair]:
    """The pairs of ``text``, or those of the project. ``\\n`` in a pair is a new line. Raises ``ValueError``."""
    lines = (text or files("vivavoce.bench").joinpath(PAIRS).read_text(encoding="utf-8")).splitlines()
    pairs: list[Pair] = []
    for number, line in enumerate(lines, 1):
        fields = line.replace("\\n", "\n").split("\t")
        if len(fields) != 4 or not all(fields):
            raise ValueError(f"line {number}: four fields are expected: language, category, written, readings")
        language, category, written, readings = fields
        pairs.append(Pair(language, category, written, tuple(one.strip() for one in readings.split(" | "))))
    return pairs


def front_ends() -> FrontEnds:
    """Those of the built-in voices, without their networks."""
    from vivavoce.engines.kokoro.chinese import Chinese  # their dictionaries take a second to load
    from vivavoce.engines.kokoro.english import English
    from vivavoce.engines.kokoro.japanese import Japanese

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


def read(pairs: Iterable[Pair], readers: FrontEnds) -> list[Reading]:
    """Every pair, read and judged."""
    made: list[Reading] = []
    for pair in pairs:
        phonemes = spoken(pair.written, None if pair.category == UNHINTED else pair.language, readers)
        right = {sounds(readers[pair.language](one)) for one in pair.readings}
        made.append(Reading(pair, phonemes, sounds(phonemes) in right))
    return made


def share_table(readings: Sequence[Reading]) -> Table:
    """Right readings per language and category."""
    table = Table(title="Right readings")
    for name in ("language", "category", "pairs", "right", "share"):
        table.add_column(name, justify="left" if name in {"language", "category"} else "right")
    for language, of_language in groupby(readings, key=lambda one: one.pair.language):
        own = sorted(of_language, key=lambda one: one.pair.category)
        for category, group in groupby(own, key=lambda one: one.pair.category):
            table.add_row(language, category, *_figures(list(group)))
        table.add_row(language, "all", *_figures(own), style="bold", end_section=True)
    return table


def _figures(readings: Sequence[Reading]) -> tuple[str, str, str]:
    right = sum(one.right for one in readings)
    return str(len(readings)), str(right), f"{right / len(readings):.1%}"
