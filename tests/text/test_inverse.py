"""Spoken numbers and codes as they are typed, and ordinary words as they are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text.inverse_cases import HELD_BACK, TUNED, cases
from text.ordinary_sentences import ORDINARY, sentences
from vivavoce.text.inverse import LONGEST, inverse_normalized

LANGUAGES = ("en", "zh", "ja")
SHARE = 0.97
NUMBER_WORDS = ("one", "two", "oh", "double", "twenty", "hundred", "thousand", "and", "point", "past", "to", "B")
SAID = {
    language: sentences(ORDINARY[language])
    + [said for table in (TUNED, HELD_BACK) for said, _ in cases(table[language])]
    for language in LANGUAGES
}
STOPS = {"en": ". ", "zh": "。", "ja": "。"}


@st.composite
def utterances(draw: st.DrawFn) -> str:
    """Sentences of one language, each with its end: what a recogniser writes of one utterance."""
    language = draw(st.sampled_from(LANGUAGES))
    said = draw(st.lists(st.sampled_from(SAID[language]), min_size=1, max_size=4))
    return STOPS[language].join(said)


@pytest.mark.parametrize("name", ["tuned", "held back"])
def test_spoken_codes_and_numbers_are_typed(name: str) -> None:
    table = {"tuned": TUNED, "held back": HELD_BACK}[name]
    pairs = [(said, typed, language) for language in LANGUAGES for said, typed in cases(table[language])]
    wrong = [(said, got) for said, typed, lang in pairs if (got := inverse_normalized(said, lang)) not in typed]
    share = 1 - len(wrong) / len(pairs)
    print(f"{name}: {share:.1%} of {len(pairs)}; wrong: {wrong}")
    assert len(pairs) > 50
    assert share >= SHARE, wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_ordinary_sentences_stay(language: str) -> None:
    ordinary = sentences(ORDINARY[language])
    assert len(ordinary) >= 60
    changed = [(one, got) for one in ordinary if (got := inverse_normalized(one, language)) != one]
    assert not changed


@given(utterances(), st.sampled_from([*LANGUAGES, None]))
def test_what_is_typed_already_stays(said: str, language: str | None) -> None:
    once = inverse_normalized(said, language)
    assert inverse_normalized(once, language) == once


@given(
    st.text(alphabet="aBeI 一二十百千万点半月号日时時年,.-'90", max_size=60), st.sampled_from([*LANGUAGES, None, "de"])
)
def test_no_text_raises(text: str, language: str | None) -> None:
    inverse_normalized(text, language)


@given(st.lists(st.sampled_from(NUMBER_WORDS), max_size=14))
def test_no_words_of_numbers_raise(said: list[str]) -> None:
    inverse_normalized(" ".join(said), "en")


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Bus E-18 is late.", "Bus E18 is late."),
        ("The code is 4-7-1-1-2.", "The code is 47112."),
        ("We meet at 9.30.", "We meet at 9:30."),
        ("Order number 777-00.", "Order number 77700."),
        ("密码是4 7 1 1 2。", "密码是47112。"),
        ("1共320块", "一共320块"),
        ("10.30分", "10点30分"),
        ("3万5000元", "35000元"),
        ("番号は471 2です", "番号は4712です"),
        ("1万2千円です", "12000円です"),
        ("03の1234の5678です", "03-1234-5678です"),
        ("At 5.30pm it ends.", "At 5:30pm it ends."),
        ("The average of 4, 7, 1, 1, 2 is three.", "The average of 4, 7, 1, 1, 2 is three."),
        ("At 9.30 euros it is cheap.", "At 9.30 euros it is cheap."),
        ("It is 3.14.", "It is 3.14."),
        ("Count 1 2 3 4.", "Count 1 2 3 4."),
    ],
)
def test_what_a_recogniser_writes_half_as_digits(written: str, typed: str) -> None:
    language = "en" if written.isascii() else "zh"
    assert inverse_normalized(written, language) == typed


def test_a_sentence_is_in_the_language_it_is_written_in() -> None:
    assert inverse_normalized("My ticket is E eighteen.", "zh") == "My ticket is E18."
    assert inverse_normalized("我的票是E十八。", "en") == "我的票是E18。"
    assert inverse_normalized("二〇二四年", "ja") == "2024年"
    assert inverse_normalized("Ich bin seven eleven twelve.", "de") == "Ich bin seven eleven twelve."


@pytest.mark.parametrize("piece", ["seven ", "一", "三五", "五百三十", "A 5 ", "4 ", "code ", "half past ten "])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_text_takes_no_longer_for_each_character(piece: str, language: str) -> None:
    text = (piece * LONGEST)[:LONGEST]
    start = time.process_time()
    inverse_normalized(text, language)
    assert time.process_time() - start < 1.0


def test_a_text_that_is_no_utterance_stays() -> None:
    text = "The code is four seven one one two. " * LONGEST
    assert inverse_normalized(text, "en") is text


@pytest.mark.parametrize(
    ("said", "typed", "language"),
    [
        ("Write to info at example.com", "Write to info@example.com", "en"),
        ("My e-mail address is john.smith at mail.co.uk.", "My e-mail address is john.smith@mail.co.uk.", "en"),
        ("Look at example.com", "Look at example.com", "en"),
        ("Send it to me at home.", "Send it to me at home.", "en"),
        ("请拨打要3800要38000", "请拨打13800138000", "zh"),
        ("报警请打腰腰临。", "报警请打110。", "zh"),
        ("余额是富20元", "余额是负20元", "zh"),
        ("他是富二代", "他是富二代", "zh"),
        ("你给我打要3000块", "你给我打要3000块", "zh"),
        ("スコアは3体1でした", "スコアは3対1でした", "ja"),
        ("ロボット3体", "ロボット3体", "ja"),
        ("警察は100頭盤です", "警察は110番です", "ja"),
        ("会员号是203亿。", "会员号是2031。", "zh"),
        ("人口是203亿。", "人口是203亿。", "zh"),
        ("报警请答要要零。", "报警请答110。", "zh"),
        ("现在零下五度", "现在零下5度", "zh"),
        ("由你来定，由他去。", "由你来定，由他去。", "zh"),
    ],
)
def test_what_was_lost_on_the_way_from_speech_to_text_is_typed(said: str, typed: str, language: str) -> None:
    assert inverse_normalized(said, language) == typed
