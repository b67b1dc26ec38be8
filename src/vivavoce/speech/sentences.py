"""Text that arrives in pieces → what is spoken as one: sentences, or, for text still being written, clauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vivavoce.errors import ClientError
from vivavoce.speech.models import SpeechModel
from vivavoce.speech.text_preparation import clauses_of, without_stage_directions
from vivavoce.text.clauses import Clause, ClauseSplitter
from vivavoce.types import Language

LONGEST_DIRECTION = 500
"""Characters after an opening parenthesis; when it is not closed by then, it is one that is spoken."""

_ENDS = frozenset("。！？!?")
_CLOSERS = frozenset("\"'”’」』）)】》")


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is spoken as one: ``text`` as written, and its clauses."""

    text: str
    clauses: Sequence[Clause]


class SentenceSource(Protocol):
    """Takes text, gives what can be spoken of it."""

    def push(self, text: str) -> list[Sentence]:
        """What is complete with ``text``."""

    def flush(self) -> list[Sentence]:
        """What is left, complete or not."""


class WholeSentences:
    """Ready text (mode ``sentence``): cut after 。！？!? and nowhere else."""

    def __init__(self, model: SpeechModel, language: Language | None) -> None:
        self._model = model
        self._language = language
        self._buffer = ""
        self._looked = 0

    def push(self, text: str) -> list[Sentence]:
        """A sentence is complete when the first character after it has come: what closes it (”）) belongs to it."""
        self._buffer += text
        sentences: list[Sentence] = []
        while (end := self._end()) is not None:
            sentences += self._sentence(self._buffer[:end])
            self._buffer, self._looked = self._buffer[end:], 0
        return sentences

    def flush(self) -> list[Sentence]:
        """What is left."""
        remaining, self._buffer, self._looked = self._buffer, "", 0
        return self._sentence(remaining)

    def _end(self) -> int | None:
        for at in range(self._looked, len(self._buffer)):
            after = self._buffer[at + 1 : at + 2]
            if self._buffer[at] in _ENDS and after and after not in _ENDS | _CLOSERS:
                return at + 1
            if self._buffer[at] in _CLOSERS and at and after and after not in _CLOSERS and self._closes(at):
                return at + 1
        self._looked = max(0, len(self._buffer) - 1)
        return None

    def _closes(self, at: int) -> bool:
        while at and self._buffer[at] in _CLOSERS:
            at -= 1
        return self._buffer[at] in _ENDS

    def _sentence(self, text: str) -> list[Sentence]:
        spoken_text, _ = without_stage_directions(text, self._model)
        try:
            clauses = clauses_of(spoken_text, self._language)
        except ClientError:
            return []  # blanks between sentences, a line of stars
        return [Sentence(text, clauses)]


class GrowingText:
    """Text a language model is still writing (mode ``default``): each clause is spoken as soon as it is there."""

    def __init__(self, model: SpeechModel, language: Language | None) -> None:
        self._model = model
        self._language = language
        self._buffer = ""
        self._splitter = ClauseSplitter(language)

    def push(self, text: str) -> list[Sentence]:
        """The clauses that are complete. Text is held back within parentheses if they hold stage directions."""
        self._buffer += text
        free = self._free()
        ready, self._buffer = self._buffer[:free], self._buffer[free:]
        return self._sentences(self._splitter.push(self._spoken_text(ready)))

    def flush(self) -> list[Sentence]:
        """The rest; what is pushed next begins anew, with a short first clause."""
        ready, self._buffer = self._buffer, ""
        clauses = [*self._splitter.push(self._spoken_text(ready)), *self._splitter.flush()]
        self._splitter = ClauseSplitter(self._language)
        return self._sentences(clauses)

    def _free(self) -> int:
        """How much of the held text can go on."""
        if self._model.stage_directions:
            opened = max(self._buffer.rfind("("), self._buffer.rfind("（"))
            closed = max(self._buffer.rfind(")"), self._buffer.rfind("）"))
            if opened > closed and len(self._buffer) - opened <= LONGEST_DIRECTION:
                return opened
        return len(self._buffer)

    def _spoken_text(self, text: str) -> str:
        return without_stage_directions(text, self._model)[0]

    def _sentences(self, clauses: list[Clause]) -> list[Sentence]:
        return [Sentence(clause.text, [clause]) for clause in clauses if clause.spoken]
