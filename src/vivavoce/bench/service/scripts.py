"""What the service bench plays: businesses, their documents and functions, and the dialogues. Read from package data.

A file of ``data/`` is one business in one language. Patterns are regular expressions without regard to case, and read what
``spoken_numbers.in_digits`` makes of an answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from vivavoce.types import Language

Half = Literal["tuning", "held-out"]
KINDS = (
    "fact", "table", "exception", "newer", "negative", "absent", "about", "look-up", "correct", "lacks", "act", "repeat",
    "decline", "history", "small-talk", "language",
)  # fmt: skip
"""What a turn is about.

``newer``: an older document says otherwise; ``negative``: yes or no, and the documents say no; ``absent``: the documents do not
say; ``about``: asks about acting and wants no act; ``correct``: a slip of before is put right; ``lacks``: an argument is
missing; ``repeat``: what has been done is asked for again; ``decline``: "no" after the question whether to act;
``history``: asks for what was said before; ``language``: said in the other language."""

YES: Mapping[Language, str] = {"en": "Yes, please.", "zh": "是的。"}


@dataclass(frozen=True, slots=True)
class BenchDocument:
    """A document: ``text`` is simple Markdown (headings, paragraphs, bullets, tables), written in the format of ``file``."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class BenchFunction:
    """A function of the client. ``results``: what it returns, by arguments; ``otherwise`` for all others.

    ``free``: names of arguments in free words. ``effects``: it changes something, so a wrong call does harm.
    """

    name: str
    description: str
    effects: bool
    parameters: Mapping[str, str]
    free: tuple[str, ...]
    results: tuple[tuple[Mapping[str, str], Mapping[str, Any]], ...]
    otherwise: Mapping[str, Any]

    def declared(self) -> dict[str, Any]:
        """As a session declares it."""
        properties = {name: {"type": "string", "description": about} for name, about in self.parameters.items()}
        schema = {"type": "object", "properties": properties, "required": list(self.parameters)}
        return {"type": "function", "name": self.name, "description": self.description, "parameters": schema}

    def result(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a call returns: that of the first row whose values are all in the arguments, punctuation aside."""
        for given, result in self.results:
            if all(bare(value) in bare(arguments.get(name, "")) for name, value in given.items()):
                return result
        return self.otherwise


@dataclass(frozen=True, slots=True)
class ServiceTurn:
    """What is said, and what counts as right.

    ``right``: patterns the answer must have, all of them; ``wrong``: patterns that contradict the documents. ``call`` with the
    patterns ``arguments``: what must be called. ``reply`` is said when the assistant asks back instead (empty: nothing).
    """

    number: int
    say: str
    kind: str
    language: Language
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    call: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    reply: str = ""


@dataclass(frozen=True, slots=True)
class ServiceScript:
    """A business in one language."""

    business: str
    language: Language
    half: Half
    spoken: bool
    instructions: str
    about_documents: str
    documents: tuple[BenchDocument, ...]
    functions: tuple[BenchFunction, ...]
    turns: tuple[ServiceTurn, ...]

    @property
    def name(self) -> str:
        """Such as ``shop-en``."""
        return f"{self.business}-{self.language}"

    def function(self, name: str) -> BenchFunction | None:
        """The function of this name."""
        return next((function for function in self.functions if function.name == name), None)

    def known(self) -> str:
        """Everything that may be said from the start: documents with their names, instructions, what functions do."""
        documents = [f"{document.file}\n{document.text}" for document in self.documents]
        functions = [f"{function.name.replace('_', ' ')}: {function.description}" for function in self.functions]
        return "\n".join([self.instructions, self.about_documents, *documents, *functions])


def bare(value: object) -> str:
    """Letters and digits only, in lower case: how identifiers are compared."""
    return "".join(character for character in str(value).casefold() if character.isalnum())


def scripts() -> list[ServiceScript]:
    """All of them, by business and language."""
    folder = files(__package__) / "data"
    texts = sorted((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return [read_script(text) for _, text in texts]


def read_script(text: str) -> ServiceScript:
    """One file. Raises ``KeyError`` and ``ValueError`` for one that is not as it should be."""
    table = tomllib.loads(text)
    language = table["language"]
    return ServiceScript(
        table["business"],
        language,
        table["half"],
        table.get("spoken", False),
        table["instructions"].strip(),
        table["about_documents"],
        tuple(BenchDocument(one["file"], one["text"].strip()) for one in table["documents"]),
        tuple(_function(one) for one in table["functions"]),
        tuple(_turn(number, one, language) for number, one in enumerate(table["turns"], start=1)),
    )


def _function(table: Mapping[str, Any]) -> BenchFunction:
    return BenchFunction(
        table["name"],
        table["description"],
        table["effects"],
        table["parameters"],
        tuple(table.get("free", ())),
        tuple((row["of"], row["is"]) for row in table.get("results", ())),
        table["otherwise"],
    )


def _turn(number: int, table: Mapping[str, Any], language: Language) -> ServiceTurn:
    kind = table["kind"]
    if kind not in KINDS:
        raise ValueError(f"turn {number}: there is no kind {kind!r}")
    spoken_language = table.get("language", language)
    reply = table.get("reply", YES[spoken_language] if "call" in table else "")
    return ServiceTurn(
        number,
        table["say"],
        kind,
        spoken_language,
        tuple(table.get("right", ())),
        tuple(table.get("wrong", ())),
        table.get("call", ""),
        table.get("with", {}),
        reply,
    )
