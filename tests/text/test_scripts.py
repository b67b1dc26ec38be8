"""What stands between two pieces of a text depends on the script at the seam."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.text.scripts import blank_between, clause_language, is_cjk, joined, written_language


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        ("One.", "Two.", "One. Two."),
        ("今天天气", "很好", "今天天气很好"),
        ("你好，", "再见。", "你好，再见。"),
        ("これは", "ペンです", "これはペンです"),
        ("안녕하세요", "반갑습니다", "안녕하세요 반갑습니다"),
        ("안녕하세요.", "네", "안녕하세요. 네"),
        ("我用", "Python", "我用Python"),
        ("", "a", "a"),
        ("a", "", "a"),
        ("a ", " b", "a b"),
        ("", "", ""),
    ],
)
def test_pieces_are_joined_as_the_script_wants(before: str, after: str, whole: str) -> None:
    assert joined(before, after) == whole


@given(st.text("ab 한국你好。.", max_size=8), st.text("ab 한국你好。.", max_size=8))
def test_nothing_is_lost_and_at_most_a_blank_is_added(before: str, after: str) -> None:
    whole = joined(before, after)
    assert whole.replace(" ", "") == (before + after).replace(" ", "")
    assert len(whole) <= len(before) + len(after) + 1
    assert blank_between(before, after) in ("", " ")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("안녕하세요", "ko"),
        ("你好", "zh"),
        ("こんにちは", "ja"),
        ("日本語です", "ja"),
        ("hello", None),
        ("\uf900", "zh"),
    ],
)
def test_each_script_gives_its_language_away(text: str, language: str | None) -> None:
    assert written_language(text) == language
    assert clause_language(text, language, None) == (language or "en")


@given(st.characters())
def test_the_scripts_of_east_asia_are_those_and_no_others(character: str) -> None:
    name = unicodedata.name(character, "")
    if name.startswith(("CJK UNIFIED IDEOGRAPH-", "HANGUL SYLLABLE", "HIRAGANA LETTER", "KATAKANA LETTER")):
        assert is_cjk(character) or ord(character) > 0xFFFF
    if name.startswith(("LATIN", "CYRILLIC", "ARABIC", "THAI", "DEVANAGARI", "YI SYLLABLE", "VAI SYLLABLE")):
        assert not is_cjk(character)


def test_of_a_long_text_its_ends_tell_the_language() -> None:
    assert written_language("word " * 10_000 + "これは日本語です。") == "ja"
    assert written_language("请用中文回答：" + "word " * 10_000) == "zh"
    assert written_language("word " * 10_000 + "语" + "word " * 10_000) is None


@pytest.mark.parametrize(
    "text",
    [
        "80dB",
        "60km/h",
        "1080P",
        "No.5",
        "a≤b",
        "x>5",
        "π≈3.14",
        "a.b@c.com",
        "A-1002",
        "PM2.5",
        "8:00AM",
        "3LDK",
        "USB、PDF",
        "NZ$20",
        "1e-5",
    ],
)
@pytest.mark.parametrize("language", ["zh", "ja"])
def test_units_codes_and_signs_alone_are_of_the_conversation(text: str, language: str) -> None:
    assert clause_language(text, language, None) == language
    assert clause_language(f"{text} is it", language, None) == "en"
