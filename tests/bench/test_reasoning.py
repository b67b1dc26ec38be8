"""The questions of ``vivavoce bench reasoning``, and how their answers are judged."""

from __future__ import annotations

import pytest

from vivavoce.bench.reasoning_questions import ReasoningQuestion, is_right, questions


def test_there_are_eighty_of_all_kinds_and_both_languages() -> None:
    made = questions()
    assert len(made) >= 80
    assert len({question.text for question in made}) == len(made)
    kinds = {(question.kind, question.language) for question in made}
    assert len(kinds) == 8
    assert {(question.kind, question.language) for question in made[:16]} == kinds


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.text[:30])
def test_the_right_answer_is_right_and_another_is_not(question: ReasoningQuestion) -> None:
    said = "所以答案是{}。" if question.language == "zh" else "I count 2 and 3, so the answer is {}."
    assert is_right(question, said.format(question.answer))
    wrong = (
        "7777" if question.candidates is None else next(name for name in question.candidates if name != question.answer)
    )
    assert not is_right(question, said.format(wrong))


def test_who_is_compared_with_is_not_the_answer_and_numbers_may_be_words() -> None:
    ben = ReasoningQuestion("Who earns more?", "en", "comparison", "Ben", ("Ann", "Ben"))
    assert is_right(ben, "Ben earns more than Ann.")
    apples = ReasoningQuestion("How many?", "en", "arithmetic", "15", None)
    assert is_right(apples, "That makes fifteen.")
    assert not is_right(apples, "I do not know.")
