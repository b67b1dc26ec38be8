"""Lengths in tokens without a tokenizer: never less than the built-in models' tokenizer makes of ordinary text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.text.token_estimates import LONG, cut_to, estimate_text, estimate_tokens
from vivavoce.types import Message, ToolCall

MEASURED = {
    "Breakfast is served from seven to ten, and the pool closes at nine in the evening.": 19,
    "Bitte beantworten Sie alle Fragen der Gäste höflich und kurz.": 15,
    "Завтрак подают с семи до десяти, бассейн закрывается в девять вечера.": 27,
    "يتم تقديم الإفطار من الساعة السابعة إلى العاشرة.": 16,
    "नाश्ता सात से दस बजे तक परोसा जाता है।": 35,
    "Το πρωινό σερβίρεται από τις επτά έως τις δέκα.": 39,
    "อาหารเช้าเสิร์ฟตั้งแต่เจ็ดโมงถึงสิบโมง": 25,
    "早餐从七点到十点供应，游泳池晚上九点关闭。": 16,
    "아침 식사는 일곱 시부터 열 시까지 제공됩니다.": 15,
    "4711, 4712, 90210, 31415926, 2718": 33,
    '{"id": 4711, "price": 45.8, "name": "Kettle"}': 25,
    "😀🎉🚀👍": 4,
}
"""Tokens of texts by Qwen2.5's tokenizer."""


@pytest.mark.parametrize("text", MEASURED)
def test_an_estimate_is_on_the_safe_side_and_not_far_off(text: str) -> None:
    assert MEASURED[text] <= estimate_text(text) <= 3 * MEASURED[text]


def test_a_message_is_more_than_its_text() -> None:
    call = ToolCall("c1", "look_up", '{"order": "4711"}')
    assert estimate_tokens(Message("assistant", "", (call,))) > estimate_text("look_up") + 8
    assert estimate_tokens(Message("user", "")) > 0


@given(st.text("abc 你я4}é", max_size=400), st.integers(4, 60))
def test_what_is_cut_keeps_its_ends_and_fits(text: str, most: int) -> None:
    cut = cut_to(text, most)
    if estimate_text(text) <= most:
        assert cut == text
    else:
        before, _, after = cut.partition("…")
        assert estimate_text(cut) <= most + 2
        assert text.startswith(before.rstrip())
        assert text.endswith(after.lstrip())


def test_a_text_of_megabytes_is_cut_at_once() -> None:
    assert estimate_text("a" * 10 * LONG) > LONG
    assert len(cut_to("word " * 4 * LONG, 50)) < 400
