"""The passages of a page that a question is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.tools.web_search.ranking import PIECE_CHARACTERS, nearest, pieces, terms

words = st.lists(
    st.sampled_from(["river", "bridge", "the", "桥。", "河水", "Two.", "\n", "!", " ", "x" * 700]), max_size=80
).map(" ".join)


@given(words)
def test_pieces_are_bounded_and_lose_nothing(text: str) -> None:
    cut = pieces(text)
    assert all(0 < len(piece) <= 2 * PIECE_CHARACTERS for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


@given(words, words, st.integers(1, 2000))
def test_what_is_nearest_is_of_the_text_and_bounded(text: str, query: str, most: int) -> None:
    found = nearest(text, query, most)
    assert len(found) <= most + 3 * (most // 2 + 1)  # the marks between pieces
    assert all(part.strip() in " ".join(pieces(text)) + text for part in found.split(" … "))


@given(st.text(max_size=300))
def test_terms_are_of_the_text(text: str) -> None:
    assert all(term in text.casefold() for term in terms(text))


PAGE = "\n".join(
    [
        f"Paragraph {number} speaks at length of the harbour, its ships and the weather of that day."
        for number in range(60)
    ]
    + ["The new ticket for the ferry costs 4.20 crowns from the first of December."]
    + [f"Another paragraph, number {number}, about the history of the town and its mayors." for number in range(60)]
)
SEITE = (
    "".join(f"第{number}段介绍了港口的船只和天气情况。" for number in range(80))
    + "新的渡轮票价为四元二角，十二月起生效。"
    + "再谈历史。" * 80
)


@pytest.mark.parametrize(
    ("page", "query", "expected"),
    [(PAGE, "how much is the ferry ticket", "4.20 crowns"), (SEITE, "渡轮票价是多少", "四元二角")],
)
def test_the_answer_is_found_in_the_middle_of_a_page(page: str, query: str, expected: str) -> None:
    found = nearest(page, query, 700)
    assert expected in found
    assert len(found) < 800


def test_where_nothing_is_near_the_beginning_is_taken() -> None:
    assert nearest(PAGE, "zebra", 300).startswith("Paragraph 0 speaks")
    assert nearest("", "zebra", 300) == ""
    assert nearest("x" * 1000, "zebra", 10) == "x" * 10
