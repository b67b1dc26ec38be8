"""What of an input is said: stage directions taken out, the rest cut into clauses."""

from __future__ import annotations

import re

from vivavoce.errors import ClientError
from vivavoce.speech.models import SpeechModel
from vivavoce.text.clauses import Clause, ClauseSplitter
from vivavoce.types import Language

_STAGE_DIRECTION = re.compile(r"[(（][^()（）]*[)）]")

STAGE_DIRECTIONS = "input.directions"
"""How stage directions within the input are named among what is left undone."""


def without_stage_directions(text: str, model: SpeechModel) -> tuple[str, bool]:
    """(the text to say, whether there were directions in it): newer models do not speak what is in parentheses."""
    if not model.stage_directions:
        return text, False
    remaining, before = text, ""
    while remaining != before:  # one may be within another
        remaining, before = _STAGE_DIRECTION.sub("", remaining), remaining
    return remaining, remaining != text


def clauses_of(text: str, language: Language | None) -> list[Clause]:
    """The clauses of a whole text that have something to say; each has a text and what is spoken of it.

    Raises ``ClientError`` when there are none.
    """
    splitter = ClauseSplitter(language)
    clauses = [clause for clause in (*splitter.push(text), *splitter.flush()) if clause.spoken]
    if not clauses:
        raise ClientError("There is nothing in the input that can be spoken.", param="input")
    return clauses
