"""The speaking bench: pairs, and what counts as a right reading."""

from __future__ import annotations

from collections import Counter

import pytest

from vivavoce.bench.speaking import Pair, read, read_pairs, sounds


def test_there_are_enough_pairs_of_each_language() -> None:
    pairs = read_pairs()
    counts = Counter(pair.language for pair in pairs)
    assert set(counts) == {"en", "zh", "ja"}
    assert min(counts.values()) >= 100
    assert len({(pair.language, pair.written) for pair in pairs}) == len(pairs), "a pair is there twice"


@pytest.mark.parametrize("line", ["en\tnumber\tone", "en\tnumber\t\tone", "one"])
def test_a_line_that_is_no_pair_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_pairs(f"en\tnumber\t1\tone\n{line}")


def test_a_reading_is_right_when_it_sounds_like_one_of_the_expected() -> None:
    words = {"5": "faIv", "five": "fˈaIv", "8": "eIt", "nine": "naIn"}

    def reader(text: str) -> str:
        return words.get(text.rstrip("."), text)

    pairs = [Pair("en", "number", "5.", ("V", "five")), Pair("en", "number", "8.", ("nine",))]
    assert [one.right for one in read(pairs, {"en": reader})] == [True, False]
    assert sounds("ni↓ xau↓, fˈaIv!") == "ni↓xau↓faIv"
