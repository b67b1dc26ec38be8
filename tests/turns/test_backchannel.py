"""Which words stop a reply, whatever way the recogniser spells them, and whatever language it takes them for."""

from __future__ import annotations

import pytest

from vivavoce.protocol.session_config import Interruption
from vivavoce.turns.backchannel import DEFAULT_POLICY

DRAWN_OUT = {
    "en": ["Yeahhh.", "Okaaay…", "Okayyy.", "Ohhh, I see.", "Mmmmmm.", "Mhmm.", "Hmmmmmm.", "Gooood.", "Yessss!"],
    "zh": ["嗯嗯嗯嗯……", "哦哦哦"],
    "ja": ["うーん", "うんー。", "はーい", "へぇ〜", "へえー", "あー、なるほど"],
}
SPELT_OTHERWISE = {
    "en": ["O.K.", "ＯＫ", "mm-hmm", "M-hm"],
    "ja": ["ハイ", "ﾊｲ", "ソウデスネ"],
    "zh": ["嗯，對", "OK，OK"],
}
TAKEN_FOR_ANOTHER = {
    "zh": ["Yeah.", "Right, right."],
    "ja": ["Yeah.", "Okay, 对"],
    "en": ["はい", "对对", "네"],
    "de": ["嗯，好的"],
}
ALSO_SAID = {
    "en": ["Ha ha.", "Hahaha!"],
    "zh": ["对呀", "对的", "是呀", "好嘞", "好呀", "呃", "哈哈", "哦，这样"],
    "ja": ["そうなんだ", "そうなんですね", "そっか", "ふむふむ", "ははは"],
    "ko": ["네에", "하하"],
}
INTERRUPTING = {
    "en": ["God.", "Nooo.", "Stooop!", "Okaaay, stop.", "Yeah, no.", "Of course not.", "Genau.", "Huh, why?"],
    "zh": ["不对", "对不起", "好了", "是不是", "等等", "对了", "好，停", "行了行了"],
    "ja": ["いいえ", "いやー", "ちょっと", "はい、待って", "もういい", "そうじゃない"],
    "ko": ["아니요", "그만"],
}


def each(texts: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(text, language) for language in texts for text in texts[language]]


@pytest.mark.parametrize(
    ("text", "language"), each(DRAWN_OUT) + each(SPELT_OTHERWISE) + each(TAKEN_FOR_ANOTHER) + each(ALSO_SAID)
)
def test_a_sign_of_listening_stops_nothing(text: str, language: str) -> None:
    assert not DEFAULT_POLICY.interrupts(text, language, 600)


@pytest.mark.parametrize(("text", "language"), each(INTERRUPTING))
def test_other_words_do(text: str, language: str) -> None:
    assert DEFAULT_POLICY.interrupts(text, language, 600)


def test_a_clients_own_words_are_known_drawn_out_too() -> None:
    policy = DEFAULT_POLICY.patched(Interruption(ignore_words=("go on", "ラジャー")))
    assert not policy.interrupts("Go ooon!", "en", 600)
    assert not policy.interrupts("らじゃ", "ja", 600)
    assert policy.interrupts("Yeah.", "en", 600)
