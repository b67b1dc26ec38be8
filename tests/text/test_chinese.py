from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.text.chinese import chinese_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("一共12个", "一共十二个"),
        ("3.14", "三点一四"),
        ("1,234,567", "一百二十三万四千五百六十七"),
        ("2025年3月14日", "二零二五年三月十四日"),
        ("2025-03-04", "二零二五年三月四日"),
        ("90年代", "九零年代"),
        ("10年前", "十年前"),
        ("10:30开会", "十点三十分开会"),
        ("2:05", "两点零五分"),
        ("14:00", "十四点"),
        ("3:2", "三比二"),
        ("涨了3.5%", "涨了百分之三点五"),
        ("20%-30%", "百分之二十到百分之三十"),
        ("-5%", "负百分之五"),
        ("￥2万", "两万元"),
        ("$5.50", "五点五零美元"),
        ("1/2", "二分之一"),
        ("-5℃", "零下五摄氏度"),
        ("5kg", "五公斤"),
        ("60km/h", "六十公里每小时"),
        ("13800138000", "幺三八零零幺三八零零零"),
        ("5～10", "五到十"),
        ("1+1=2", "一加一等于二"),
        ("2个人", "两个人"),
        ("第2个", "第二个"),
        ("007", "零零七"),
        ("１２", "十二"),
        ("二○二五年", "二零二五年"),
        ("12345678901234567890", "一二三四五六七八九零一二三四五六七八九零"),
    ],
)
def test_numbers_are_read_as_people_say_them(written: str, said: str) -> None:
    assert chinese_words(written) == said


@pytest.mark.parametrize("name", ["GPT-4o", "H2O", "B2B"])
def test_names_keep_their_digits(name: str) -> None:
    assert chinese_words(f"用{name}吧") == f"用{name}吧"


@given(st.text(alphabet="0123456789.,:/-~%$¥kgm年月日个第GP +=", max_size=24))
def test_nothing_that_looks_like_a_number_fails(text: str) -> None:
    assert isinstance(chinese_words(text), str)


@pytest.mark.parametrize("text", ["꘠", "٣", "१२", "3꘠"])
def test_digits_of_other_scripts_are_not_taken_for_numbers(text: str) -> None:
    assert chinese_words(text).endswith(text[-1])


def test_a_code_is_kept_apart_from_a_number_behind_it() -> None:
    assert chinese_words("航班CA1831九点起飞") == "航班CA一八三一，九点起飞"
    assert chinese_words("订单47112已发出") == "订单四七一一二已发出"
