"""The speaking bench: pairs, and what counts as a right reading."""

from __future__ import annotations

from collections import Counter

import pytest

from vivavoce.bench.speaking import PronunciationCase, read, read_cases, sounds
from vivavoce.session.default_prompt import system_prompt
from vivavoce.text.speech_prompt_rules import RULES


def test_there_are_enough_pairs_of_each_language() -> None:
    cases = read_cases()
    counts = Counter(case.language for case in cases)
    assert set(counts) == {"en", "zh", "ja"}
    assert min(counts.values()) >= 100
    assert len({(case.language, case.written) for case in cases}) == len(cases), "a pair is there twice"


def test_every_category_is_held_to_a_rule_of_speech() -> None:
    """The language model is told what the front end is measured by."""
    held = {category for rule in RULES for category in rule.bench_categories}
    assert held == {case.category for case in read_cases()}
    assert all(rule.prompt_text in system_prompt() for rule in RULES)


@pytest.mark.parametrize("line", ["en\tnumber\tone", "en\tnumber\t\tone", "one"])
def test_a_line_that_is_no_pair_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_cases(f"en\tnumber\t1\tone\n{line}")


def test_a_reading_is_right_when_it_sounds_like_one_of_the_expected() -> None:
    words = {"5": "faIv", "five": "fˈaIv", "8": "eIt", "nine": "naIn"}

    def reader(text: str) -> str:
        return words.get(text.rstrip("."), text)

    cases = [PronunciationCase("en", "number", "5.", ("V", "five")), PronunciationCase("en", "number", "8.", ("nine",))]
    assert [one.right for one in read(cases, {"en": reader})] == [True, False]
    assert sounds("ni↓ xau↓, fˈaIv!") == "ni↓xau↓faIv"
