"""What a question leads one to expect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.turns.expected_answer import expected_answer


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is your phone number?", "long"),
        ("Sure. Could you spell your last name, please?", "long"),
        ("Can you tell me your order number?", "long"),
        ("Please tell me your address.", "long"),
        ("What happened?", "long"),
        ("Shall I book it?", "short"),
        ("It is 20 euros. Would you like to pay now?", "short"),
        ("You want two tickets, right?", "short"),
        ("Do you know where it is?", "plain"),
        ("What time is it?", "plain"),
        ("The capital of France is Paris.", "plain"),
        ("I sent it to your address.", "plain"),
        ("您的电话号码是多少？", "long"),
        ("要我帮您预订吗？", "short"),
        ("您要去哪里？", "plain"),
        ("お電話番号を教えてください。", "long"),
        ("予約してもよろしいですか？", "short"),
        ("いつ出発しますか？", "plain"),
        ("", "plain"),
        (None, "plain"),
    ],
)
def test_what_is_expected(question: str | None, kind: str) -> None:
    assert expected_answer(question) == kind


@given(st.text())
def test_any_text_may_come_before(question: str) -> None:
    assert expected_answer(question) in ("long", "short", "plain")
