"""What the persona bench plays: who the assistant is to be, the rule it was given, and what the user says. Package data.

Patterns are regular expressions without regard to case, and read what ``spoken_numbers.in_digits`` makes of an answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from vivavoce.types import Language

KINDS = ("chat", "tell", "recall", "name", "human", "length")
"""``tell``: the user says something of themselves; ``recall``: asks for it; ``name``: asks for the persona's name;
``human``: asks whether it is a person; ``length``: asks for a text of a length."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What every answer must keep to. All that is given counts: patterns, most words (Chinese: characters), a number of
    sentences, one question and nothing after it."""

    has: str = ""
    never: str = ""
    most: int = 0
    sentences: int = 0
    one_question: bool = False


@dataclass(frozen=True, slots=True)
class PersonaTurn:
    """What is said. ``length`` is in words (Chinese: characters). ``free``: the persona's rule does not hold for this turn."""

    number: int
    say: str
    kind: str
    language: Language
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    length: int = 0
    free: bool = False


@dataclass(frozen=True, slots=True)
class PersonaScript:
    """A persona and its conversation. ``reconnect``: the turn before which the client connects anew (0: never)."""

    persona: str
    language: Language
    name: str
    instructions: str
    rule: Rule
    turns: tuple[PersonaTurn, ...]
    reconnect: int = 0


def personas() -> list[PersonaScript]:
    """All of them, by name."""
    folder = files(__package__) / "data"
    texts = sorted((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return [persona for _, text in texts for persona in read_personas(text)]


def read_personas(text: str) -> list[PersonaScript]:
    """The personas of one file. Raises ``KeyError`` and ``ValueError`` for one that is not as it should be."""
    return [_persona(table) for table in tomllib.loads(text)["personas"]]


def _persona(table: Mapping[str, Any]) -> PersonaScript:
    language = table["language"]
    return PersonaScript(
        table["persona"],
        language,
        table["name"],
        table["instructions"].strip(),
        Rule(**table["rule"]),
        tuple(_turn(number, one, language) for number, one in enumerate(table["turns"], start=1)),
        table.get("reconnect", 0),
    )


def _turn(number: int, table: Mapping[str, Any], language: Language) -> PersonaTurn:
    kind = table.get("kind", "chat")
    if kind not in KINDS:
        raise ValueError(f"turn {number}: there is no kind {kind!r}")
    right, wrong = tuple(table.get("right", ())), tuple(table.get("wrong", ()))
    length, free = table.get("length", 0), table.get("free", False)
    return PersonaTurn(number, table["say"], kind, table.get("language", language), right, wrong, length, free)
