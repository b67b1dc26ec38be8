"""Texts nobody writes: no front end raises. A few hundred of those ``fuzzed_texts.py`` makes."""

from __future__ import annotations

import random

from fuzzed_texts import clauses, front_ends, fuzzed


def texts(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [text for text in (fuzzed(chance) for _ in range(count)) if text.strip()]


def test_the_same_seed_makes_the_same_texts_of_many_kinds() -> None:
    made = texts(200, 3)
    assert made == texts(200, 3)
    assert any(len(text) > 36 and text[1:].isdigit() for text in made)
    assert sum(not text.isascii() for text in made) > 50


def test_no_front_end_raises() -> None:
    for language, read in front_ends().values():
        for text in texts(50, 11):
            for clause in clauses(text, language):
                read(clause)
            read(text)
