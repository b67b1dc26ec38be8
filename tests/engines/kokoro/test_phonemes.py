"""Text → phonemes in three languages. Expected values were made with misaki, whose alphabet Kokoro was trained with."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.engines.kokoro.chinese import Chinese
from vivavoce.engines.kokoro.japanese import Japanese
from vivavoce.engines.kokoro.kana import kana_phonemes
from vivavoce.engines.kokoro.model import load_vocabulary
from vivavoce.engines.phonemes.english import English

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("你好世界，。！Python 3.5%はいッんー、AaZ-’°😀\n「」龘㐀"), st.characters(codec="utf-8")
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def english() -> English:
    return English()


@pytest.fixture(scope="module")
def chinese(english: English) -> Chinese:
    return Chinese(english)


@pytest.fixture(scope="module")
def japanese(english: English) -> Japanese:
    return Japanese(english)


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("你好，世界！", "ni↓xau↓, ʂɨ↘ʨje↘!"),
        ("他说：“你好。”", "tʰa→ ʂwo→: “ni↓xau↓.”"),
        ("没问题。", "mei↗ wə↘ntʰi↗."),
        ("绿色的女儿", "ly↘sɤ↘ tɤ ny↓ɚ↗"),
        ("二十三岁", "ɚ↘ʂɨ↗sa→nswei↘"),
    ],
)
def test_chinese(chinese: Chinese, text: str, phonemes: str) -> None:
    assert chinese(text) == phonemes


def test_latin_words_in_chinese_are_english(chinese: Chinese, english: English) -> None:
    assert chinese("我用Python写程序。").split()[:2] == ["wo↓jʊ↘ŋ", english("Python")]
    assert chinese("A和B").startswith("ˈA ")


def test_numbers_in_chinese_are_chinese(chinese: Chinese) -> None:
    assert chinese("3.5%") == chinese("百分之三点五")


@pytest.mark.parametrize(
    ("kana", "phonemes"),
    [
        ("コンニチワ", "koɲɲiʨiβa"),
        ("サンポ", "sampo"),
        ("サンカ", "saŋka"),
        ("ホン", "hoɴ"),
        ("ガッコー", "ɡaʔkoː"),
        ("キョー", "kʲoː"),
        ("ファミリー", "ɸamʲiɾʲiː"),
        ("ティー", "tʲiː"),
        ("フャ", "ɸja"),
        ("ッ", "ʔ"),
        ("ンー", "ɴː"),
        ("漢?", ""),
    ],
)
def test_kana(kana: str, phonemes: str) -> None:
    assert kana_phonemes(kana) == phonemes


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("こんにちは、今日はいい天気ですね。", "koɲɲiʨiβa, kʲoː βa iː teŋkʲi desɨ ne."),
        ("学校へ行って、ちょっと待ってください。", "ɡaʔkoː e iʔte, ʨoʔto maʔte kɯdasai."),
        ("「はい」と言った。", "“hai” to iʔta."),
        ("えっ、本当ですか？", "eʔ, hontoː desɨ ka?"),
        ("すみません、駅はどこですか？", "sɨmʲimaseɴ, ekʲi βa doko desɨ ka?"),
    ],
)
def test_japanese(japanese: Japanese, text: str, phonemes: str) -> None:
    assert japanese(text) == phonemes


def test_numbers_in_japanese_are_japanese(japanese: Japanese) -> None:
    assert japanese("10:30") == japanese("十時三十分")
    assert japanese("-5度") == japanese("マイナス五度")


def test_unknown_latin_words_in_japanese_are_english(japanese: Japanese, english: English) -> None:
    assert japanese("Pythonを使います。").startswith(english("Python"))


def test_accents_differ() -> None:
    assert English()("Hello there.") == "həlˈO ðˈɛɹ."
    assert English(british=True)("Hello there.") == "həlˈQ ðˈɛː."


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_read(chinese: Chinese, japanese: Japanese, text: str) -> None:
    vocabulary = load_vocabulary()
    for phonemes in (chinese(text), japanese(text)):
        known = [char for char in phonemes if char in vocabulary]
        assert len(known) >= len(phonemes) // 2


def test_everything_in_the_kana_table_is_in_the_vocabulary() -> None:
    vocabulary = load_vocabulary()
    kana = "".join(map(chr, range(ord("ァ"), ord("ヺ") + 1)))
    assert set(kana_phonemes(kana)) <= set(vocabulary)
