"""What a text is written in, and who can read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.text.languages import european_language, language_list, partly_unreadable, unreadable

HERE = frozenset({"en", "zh", "ja"})


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("안녕하세요", "ko"),
        ("مرحبا 123", "ar"),
        ("नमस्ते", "hi"),
        ("สวัสดี!", "th"),
        ("ᚠᚢᚦ", "und"),
        ("Hello 안녕", None),
        ("Kakao는 한국의 카카오톡 회사입니다", "ko"),
        ("今天", None),
        ("カナ", None),
        ("Bonjour", None),
        ("42", None),
        ("", None),
    ],
)
def test_scripts_without_a_voice(text: str, language: str | None) -> None:
    assert unreadable(text, HERE) == language


@pytest.mark.parametrize(
    ("text", "left_out"),
    [("Say 감사합니다 to them.", True), ("你好 สวัสดี", True), ("Привет, 你好 καλημέρα!", False), ("42 ½ ①", False)],
)
def test_words_that_are_left_out_are_seen(text: str, left_out: bool) -> None:
    assert partly_unreadable(text, HERE) == left_out
    assert unreadable(text, HERE) is None


def test_a_voice_of_that_language_reads_it() -> None:
    assert unreadable("안녕하세요", {"en", "ko"}) is None
    assert unreadable("你好", {"en"}) is not None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Bonjour, comment ça va?", "fr"),
        ("La vie est belle.", "fr"),
        ("Guten Tag, wie geht es Ihnen heute?", "de"),
        ("Das ist ein Test.", "de"),
        ("Hola, ¿cómo estás?", "es"),
        ("Привет, как дела?", "ru"),
        ("Hello there, how are you?", "en"),
        ("The fiancée of the man in the café.", "en"),
        ("Order 47112", None),
        ("naïve café", None),
        ("今天天气很好", None),
    ],
)
def test_european_languages_show_in_their_function_words(text: str, language: str | None) -> None:
    assert european_language(text) == language


@given(st.text(max_size=40))
def test_any_text_can_be_asked_about(text: str) -> None:
    unreadable(text, HERE)
    european_language(text)


def test_languages_in_words() -> None:
    assert language_list(HERE) == "Chinese, English and Japanese"
    assert language_list({"en"}) == "English"
