"""Characters that stand for numbers."""

from __future__ import annotations

import pytest

from vivavoce.text.numerals import plain_digits, unframed


@pytest.mark.parametrize(
    ("written", "plain"), [("１２ 𝟙𝟚 ١٢ १२", "12 12 12 12"), ("²½①x", "²½①x"), ("", ""), ("abc", "abc")]
)
def test_digits_of_every_script_are_digits(written: str, plain: str) -> None:
    assert plain_digits(written) == plain


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("①Open ⑳ ❶ ㉑. ⑵ ⒊ Ⅳ ⅻ", "1 Open 20 1 21. 2 3 4 12"),
        ("①②2024", "1, 2, 2024"),
        ("x①", "x 1"),
        ("2①", "2, 1"),
    ],
)
def test_framed_numerals_keep_apart_from_what_they_stand_beside(written: str, said: str) -> None:
    assert unframed(written, " ", ", ") == said
