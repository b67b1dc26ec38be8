"""Pronunciations a client sets."""

from __future__ import annotations

import pytest
from pypinyin import Style, lazy_pinyin

from vivavoce.errors import ClientError
from vivavoce.protocol.speech import SpeechRequest
from vivavoce.speech.pronunciation import MAX_ENTRIES, Pronunciations, spelled_out


def reading(text: str) -> list[str]:
    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)


def test_the_samples_of_the_reference() -> None:
    said = Pronunciations(["绯闻/fei1闻", "LOL/laugh out loudly"])
    assert reading(said("他的绯闻。")) == ["ta1", "de5", "fei1", "wen2", "。"]
    assert said("LOL! LOLs, LOL.") == "laugh out loudly! LOLs, laugh out loudly."


@pytest.mark.parametrize(
    "pinyin", ["chong2", "zhong4", "hang2", "xing2", "jue2", "lv4", "nü3", "er3", "yue4", "zhang3", "le5"]
)
def test_pinyin_becomes_what_is_read_so(pinyin: str) -> None:
    character = spelled_out(pinyin)
    assert len(character) == 1
    assert reading(character) == [pinyin.replace("ü", "v")] or reading(character) == [pinyin]


def test_almost_every_syllable_can_be_written() -> None:
    from vivavoce.speech.pronunciation import _characters

    for syllable in ("ma", "shi", "zhi", "yi", "wu", "yu", "guo", "jiang", "xue", "qiong"):
        assert any(tone in _characters()[syllable] for tone in "1234"), syllable
    assert sum(len(tones.keys() & set("1234")) for tones in _characters().values()) > 1100


def test_what_looks_like_pinyin_and_is_not() -> None:
    assert spelled_out("em pee 3, mp3, version 2") == "em pee 3, mp3, version 2"


def test_a_syllable_without_a_character_is_refused() -> None:
    with pytest.raises(ClientError) as refused:
        Pronunciations(["东西/dong1xi5"])
    assert (refused.value.code, refused.value.param) == ("unsupported_value", "pronunciation_map.tone[0]")


def test_the_longest_word_wins_and_nothing_is_replaced_twice() -> None:
    said = Pronunciations(["a b/c", "a/b", "b/a"])
    assert said("a b a b b") == "c c a"


def test_words_with_special_characters() -> None:
    assert Pronunciations(["C++/see plus plus", "(x)/ex", ".NET/dot net"])("C++ (x) .NET") == "see plus plus ex dot net"


@pytest.mark.parametrize("entry", ["", "word", "/said", "word/", "  / ", "x" * 101 + "/y", "x/" + "y" * 101])
def test_entries_that_cannot_be(entry: str) -> None:
    with pytest.raises(ClientError) as refused:
        Pronunciations(["ok/fine", entry])
    assert refused.value.param == "pronunciation_map.tone[1]"


def test_too_many_entries() -> None:
    with pytest.raises(ClientError, match=str(MAX_ENTRIES)):
        Pronunciations(f"w{index}/x" for index in range(MAX_ENTRIES + 1))


def test_nothing_to_replace() -> None:
    assert Pronunciations()("as it is") == "as it is"


def test_both_shapes_of_the_reference() -> None:
    hello = {"model": "step-tts-2", "input": "x", "voice": "y"}
    for shape in ({"tone": ["a/b", "c/d"]}, [{"tone": ["a/b"]}, {"tone": ["c/d"]}]):
        assert SpeechRequest.model_validate(hello | {"pronunciation_map": shape}).pronunciations == ["a/b", "c/d"]
    assert SpeechRequest.model_validate(hello | {"pronunciation_map": {}}).pronunciations == []
