"""What code can tell of an answer."""

from __future__ import annotations

import pytest

from vivavoce.bench.answer_checks import asks, claims_act, in_language, leaks, owns_up, unknown_names
from vivavoce.types import Language


@pytest.mark.parametrize(
    ("answer", "honest"),
    [
        ("The handbook doesn't say.", True),
        ("I’m sorry, I don't have information about that.", True),
        ("There is nothing about it in our papers.", True),
        ("I cannot find that in the documents.", True),
        ("No, we don't deliver abroad.", False),
        ("Sorry, you may not return knives.", False),
        ("手册里没有提到。", True),
        ("抱歉，我不清楚。", True),
        ("资料中没有相关信息。", True),
        ("我们周日不营业。", False),
        ("刀具不能退货。", False),
    ],
)
def test_owning_up_is_told_from_a_fact_in_the_negative(answer: str, honest: bool) -> None:
    assert owns_up(answer) is honest


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("I've refunded your order.", True),
        ("Your order has been cancelled.", True),
        ("Once it has been cancelled, you get a mail.", False),
        ("An order can be cancelled free of charge.", False),
        ("已为您退款。", True),
        ("已经帮您取消预约。", True),
        ("如果已取消预约，不收费。", False),
        ("订单出库之前可以免费取消。", False),
    ],
)
def test_an_act_told_of_as_done_is_found(answer: str, claims: bool) -> None:
    assert claims_act(answer) is claims


@pytest.mark.parametrize(
    ("answer", "question"),
    [("Which order?", True), ("Please tell me the number.", True), ("请提供订单号。", True), ("It is closed.", False)],
)
def test_questions_are_told_from_statements(answer: str, question: bool) -> None:
    assert asks(answer) is question


@pytest.mark.parametrize(
    ("answer", "language", "fits"),
    [
        ("The Heron costs 79 euros.", "en", True),
        ("苍鹭十七要329元。", "zh", True),
        ("It is 18 months.", "zh", False),
        ("保修18个月。", "en", False),
        ("Oberried的水硬度是9度。", "zh", True),
        ("42", "zh", True),
    ],
)
def test_the_language_of_an_answer_is_told_by_its_letters(answer: str, language: Language, fits: bool) -> None:
    assert in_language(answer, language) is fits


@pytest.mark.parametrize(
    ("answer", "language", "names"),
    [
        ("You can see Dr Birke on Tuesdays.", "en", set[str]()),
        ("You can see Dr Miller on Monday.", "en", {"Miller", "Monday"}),
        ("We are open on Saturdays.", "en", set[str]()),
        ("安医生礼拜四出诊。", "zh", set[str]()),
        ("Hello. I'm glad that I can help.", "en", set[str]()),
        ("毕医生周二出诊。", "zh", set[str]()),
        ("毕医生星期五出诊。", "zh", {"周五"}),
        ("请联系Miller。", "zh", {"Miller"}),
    ],
)
def test_names_nobody_has_mentioned_are_found(answer: str, language: Language, names: set[str]) -> None:
    known = (
        "Dr Birke: Tuesday. Open from Friday to Sunday."
        if language == "en"
        else "毕医生，皮肤科，周二；安医生，周三至周四"
    )
    assert unknown_names(answer, known, language) == names


def test_calls_in_words_are_no_speech() -> None:
    assert leaks('get_order {"order": "47112"}')
    assert leaks("I will call get_order now.", ("get_order",))
    assert not leaks("Your order is on its way.", ("get_order",))
