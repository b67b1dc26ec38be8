"""What is written, and what is said: the project's own pairs, texts that must stay as they are, and any text at all."""

from __future__ import annotations

import re
import time
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.bench.speaking import front_ends, read, read_cases
from vivavoce.text.chinese import chinese_words
from vivavoce.text.english import english_words
from vivavoce.text.japanese import japanese_words
from vivavoce.text.speakable import speakable_form
from vivavoce.text.verbalization import verbalize
from vivavoce.text.wfst_normalization import wfst_normalized

MIN_RIGHT_SHARE = 0.97
"""Of the pairs of each language."""

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "0123456789.,:/-–~〜%$€£¥₩°²³½№#@&+=<>≥≤±√'\"()（）年月日号点分元円個人kgmKMBAaZz 第房间番号のはorder"
        ),
        st.characters(codec="utf-8"),
    ),
    max_size=40,
)


def test_nearly_all_pairs_are_said_as_they_should_be() -> None:
    readings = read(read_cases(), front_ends())
    for language, group in groupby(readings, key=lambda one: one.case.language):
        own = list(group)
        wrong = [(one.case.written, one.phonemes) for one in own if not one.right]
        assert len(wrong) <= (1 - MIN_RIGHT_SHARE) * len(own), (language, wrong)


@pytest.mark.parametrize(
    "text",
    [
        "Hello there, how are you?",
        "I ordered pizza for two people.",
        "It is a well-known half-hearted e-mail.",
        "He said: no, thanks. We met at noon; it rained.",
        "The state-of-the-art idea (really!) worked...",
    ],
)
def test_english_prose_stays_as_it_is(text: str) -> None:
    assert english_words(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I ordered 12 pizzas.", "I ordered 12 pizzas."),
        ("Please order 100 chairs.", "Please order 100 chairs."),
        ("We are number 1.", "We are number 1."),
        ("The room is 250 square feet.", "The room is 250 square feet."),
        ("usd 5-10", "usd five to ten"),
    ],
)
def test_english_quantities_are_no_codes(text: str, said: str) -> None:
    assert english_words(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("订单12单", "订单十二单"),
        ("房间25平米", "房间二十五平米"),
        ("一共10000。", "一共一万。"),
        ("给他打120分", "给他打一百二十分"),
        ("你好，今天天气很好。", "你好，今天天气很好。"),
        ("3-0获胜", "三比零获胜"),
    ],
)
def test_chinese_quantities_are_no_codes(text: str, said: str) -> None:
    assert chinese_words(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Open 24/7, 9-5 on 9/11.", "Open twenty-four seven, nine to five on nine eleven."),
        ("In 2024-01 for $1B.", "In January twenty twenty-four for one billion dollars."),
        ("My SSN is 123-45-6789.", "My SSN is one two three, four five, six seven eight nine."),
        ("A 4K TV, 30 min/day, and/or 2 h.", "A 4K TV, thirty minutes per day, and/or two hours."),
    ],
)
def test_other_english_kinds(text: str, said: str) -> None:
    assert english_words(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("下午5:30pm", "下午五点三十分"),
        ("9:30am", "上午九点三十分"),
        ("电池1000mAh", "电池一千毫安时"),
        ("4K电视1080P", "四K电视一零八零P"),
        ("618大促", "六幺八大促"),
        ('"3·15"晚会', '"三一五"晚会'),
        ("+86 138 0013 8000", "加八六，幺三八零零幺三八零零零"),
        ("60+岁", "六十多岁"),
        ("7x24小时", "七乘二十四小时"),
        ("~5元", "约五元"),
        ("2024款", "二零二四款"),
        ("ISO9001", "ISO九零零一"),
        ("$3.5M", "三百五十万美元"),
        ("USD 250", "二百五十美元"),
    ],
)
def test_other_chinese_kinds(text: str, said: str) -> None:
    assert chinese_words(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10:00-12:00", "十時から十二時"),
        ("9時-17時", "九時から十七時"),
        ("月-金", "月から金"),
        ("AM10:00", "午前十時"),
        ("3-1で勝つ", "三対一で勝つ"),
        ("1-2-3番地", "一の二の三番地"),
        ("50:50", "五十対五十"),
        ("03(1234)5678", "ゼロサン、イチニーサンヨン、ゴーロクナナハチ"),
    ],
)
def test_other_japanese_kinds(text: str, said: str) -> None:
    assert japanese_words(text) == said


@pytest.mark.parametrize("text", ["そうだね〜、また明日。", "コーヒーを飲みます。", "いい〜天気"])
def test_japanese_prose_stays_as_it_is(text: str) -> None:
    assert japanese_words(text) == text


def test_other_languages_are_left_alone() -> None:
    assert verbalize("Es kostet 5€.", "de") == "Es kostet 5€."


@pytest.mark.parametrize("text", ["5€", "$5-$10", "\x00", "1" * 500, "😀1"])
def test_what_the_transducers_raise_on_stays(text: str) -> None:
    assert isinstance(wfst_normalized(text, "zh"), str)
    assert isinstance(wfst_normalized(text, "ja"), str)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_any_text_has_words(text: str) -> None:
    for words in (chinese_words, english_words, japanese_words):
        assert isinstance(words(text), str)


@pytest.mark.parametrize("piece", ["a", "1", "1.", "a@", "1-", "$", "1/", "房间", "号", "〜", "１", "\\(", "*smiles "])
def test_long_texts_take_time_in_proportion(piece: str) -> None:
    text = piece * (3_000 // len(piece))
    started = time.process_time()
    for language in ("en", "zh", "ja"):
        verbalize(speakable_form(text, language), language)
    assert time.process_time() - started < 3.0


@given(st.integers(0, 10**15 - 1))
@settings(max_examples=50, deadline=None)
def test_a_chinese_or_japanese_number_has_no_figures_left(number: int) -> None:
    assert not re.search("[0-9]", chinese_words(f"一共{number}。"))
    assert not re.search("[0-9]", japanese_words(f"全部で{number}です"))


@pytest.mark.parametrize("sign", ["%", "$", "=", "…", "。"])
@pytest.mark.parametrize("language", ["en", "zh", "ja", "fr"])
def test_a_line_of_one_sign_is_one_sign(sign: str, language: str) -> None:
    assert len(verbalize(f"a {sign * 500} b", language)) < 60
