"""Whether a question is after the thoughts, and whose thoughts it gets."""

from __future__ import annotations

import pytest

from vivavoce.protocol.items import Item, Part
from vivavoce.session.thought_questions import note_of_thoughts

THOUGHT = Part(type="thinking", text="12 - 7 is 5, and 5 + 10 is 15")
ANSWER = Item(id="a", role="assistant", content=(THOUGHT, Part(type="audio", transcript="You have 15.")))


def asking(text: str) -> Item:
    return Item(id="q", role="user", content=(Part(type="input_audio", transcript=text),))


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("How did you get there?", "en", "how you got there"),
        ("Explain your reasoning.", "en", "notes"),
        ("你是怎么算的？", "zh", "笔记"),
    ],
)
def test_the_thoughts_of_the_last_answer_are_told(text: str, language: str, words: str) -> None:
    note = note_of_thoughts((ANSWER, asking(text)), language)
    assert note is not None
    assert "5 + 10 is 15" in note
    assert words in note


def test_they_are_told_for_no_other_question_and_only_where_there_are_some() -> None:
    silent = Item(id="a", role="assistant", content=(Part(type="audio", transcript="You have 15."),))
    assert note_of_thoughts((ANSWER, asking("How many are left?")), "en") is None
    assert note_of_thoughts((silent, asking("How did you get there?")), "en") is None
    assert note_of_thoughts((asking("How did you get there?"),), "en") is None
    assert note_of_thoughts((), "en") is None
