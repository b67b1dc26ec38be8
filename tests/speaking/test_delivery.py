"""Labels and instructions → speaking styles; what is left undone is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import ClientError
from vivavoce.speaking.delivery import beyond, delivery
from vivavoce.speaking.instructions import style_of
from vivavoce.speaking.labels import EMOTIONS, STYLES
from vivavoce.speaking_style import ALL_CONTROLS, LIMITS, PLAIN, WHISPER, SpeakingStyle

NAMED_EMOTIONS = {"高兴", "非常高兴", "悲伤", "生气", "非常生气", "撒娇", "恐惧", "惊讶", "兴奋", "钦佩", "困惑"}
NAMED_STYLES = {
    "慢速", "极慢", "快速", "极快", "冷漠", "尴尬", "沮丧", "骄傲", "温柔", "甜美", "豪爽", "严肃", "傲慢", "老年", "吼叫",
    "阴阳怪气", "磕巴",
}  # fmt: skip
STYLES_OF_ALL = st.builds(
    SpeakingStyle,
    rate=st.floats(*LIMITS["rate"]),
    pitch_st=st.floats(*LIMITS["pitch_st"]),
    pitch_range=st.floats(*LIMITS["pitch_range"]),
    gain_db=st.floats(*LIMITS["gain_db"]),
    brightness_db=st.floats(*LIMITS["brightness_db"]),
    pauses=st.floats(*LIMITS["pauses"]),
    whisper=st.booleans(),
)


def test_every_label_of_the_platform_is_known() -> None:
    assert set(EMOTIONS) == NAMED_EMOTIONS
    assert set(STYLES) == NAMED_STYLES


@pytest.mark.parametrize(("kind", "labels"), [("emotion", EMOTIONS), ("style", STYLES)])
def test_a_label_changes_the_sound_or_is_named_as_left_undone(
    kind: str, labels: dict[str, SpeakingStyle | None]
) -> None:
    for label in labels:
        way = delivery({kind: label}, None)
        assert (way.style == PLAIN) == (way.unsupported == (f"voice_label.{kind}",))


def test_stronger_labels_are_stronger() -> None:
    for weak, strong in (("高兴", "非常高兴"), ("生气", "非常生气")):
        one, other = EMOTIONS[weak], EMOTIONS[strong]
        assert one is not None
        assert other is not None
        assert other.pitch_st > one.pitch_st
        assert other.gain_db > one.gain_db
    rates = [STYLES[name] or PLAIN for name in ("极慢", "慢速", "快速", "极快")]
    assert [style.rate for style in rates] == [0.65, 0.8, 1.25, 1.5]


def test_a_dialect_is_words_and_its_sound_is_named_as_left_undone() -> None:
    way = delivery({"language": "四川话"}, None)
    assert (way.dialect, way.unsupported) == ("sichuanese", ("voice_label.language",))


@pytest.mark.parametrize(
    ("instruction", "signs"),
    [
        ("Speak slowly and softly.", {"rate": -1, "gain_db": -1}),
        ("in an excited voice, a bit louder", {"pitch_st": 1, "gain_db": 1, "rate": 1}),
        ("Use a deep, serious tone.", {"pitch_st": -1}),
        ("用温柔的语气慢慢地说", {"rate": -1, "gain_db": -1}),
        ("悲伤，声音低沉", {"pitch_st": -1, "rate": -1}),
        ("请用欢快的语气", {"pitch_st": 1, "rate": 1}),
        ("明るく、速く話してください", {"pitch_st": 1, "rate": 1}),
        ("ゆっくり、優しく", {"rate": -1}),
    ],
)
def test_instructions_are_followed_as_a_whole(instruction: str, signs: dict[str, int]) -> None:
    way = delivery(None, instruction)
    assert way.unsupported == (), instruction
    for name, sign in signs.items():
        assert (getattr(way.style, name) - getattr(PLAIN, name)) * sign > 0, (instruction, name, way.style)


@pytest.mark.parametrize("instruction", ["Whisper.", "in a whisper", "用耳语说", "ささやいて"])
def test_a_whisper_is_a_whisper(instruction: str) -> None:
    assert delivery(None, instruction).style == WHISPER


@pytest.mark.parametrize(
    ("instruction", "style"),
    [
        ("Speak like a pirate.", PLAIN),
        ("Speak slowly, like a pirate.", SpeakingStyle(rate=0.8)),
        ("像海盗一样慢慢说", SpeakingStyle(rate=0.8)),
        ("Don't speak so fast.", PLAIN),
        ("不要太快", PLAIN),
        ("Be quick but not loud.", SpeakingStyle(rate=1.25)),
    ],
)
def test_what_is_not_all_followed_is_named(instruction: str, style: SpeakingStyle) -> None:
    way = delivery(None, instruction)
    assert (way.style, way.unsupported) == (style, ("instruction",))


def test_a_label_and_an_instruction_add_up() -> None:
    way = delivery({"style": "慢速"}, "Softly.")
    assert way.style.rate == 0.8
    assert way.style.gain_db < 0


@pytest.mark.parametrize("label", [{"emotion": "sleepy"}, {"style": "高兴"}, {"emotion": "高兴", "style": "慢速"}])
def test_labels_there_are_not(label: dict[str, str]) -> None:
    with pytest.raises(ClientError):
        delivery(label, None)


@given(st.text(max_size=200))
def test_no_instruction_leads_out_of_bounds(instruction: str) -> None:
    style, _ = style_of(instruction)
    assert all(low <= getattr(style, name) <= high for name, (low, high) in LIMITS.items())


@given(STYLES_OF_ALL, STYLES_OF_ALL)
def test_styles_add_up_within_bounds_in_any_order(one: SpeakingStyle, other: SpeakingStyle) -> None:
    both, turned = one.then(other), other.then(one)
    for name, (low, high) in LIMITS.items():
        assert low <= getattr(both, name) <= high
        assert getattr(both, name) == pytest.approx(getattr(turned, name))
    assert one.then(PLAIN) == one


@given(STYLES_OF_ALL, STYLES_OF_ALL)
def test_what_was_asked_for_is_left_alone(fitting: SpeakingStyle, asked: SpeakingStyle) -> None:
    together = asked.then(fitting.where_unset(asked))
    for name in LIMITS:
        if getattr(asked, name) != getattr(PLAIN, name):
            assert getattr(together, name) == getattr(asked, name)
    assert together.whisper >= asked.whisper
    if asked.whisper:
        assert together == asked


def test_only_pitch_is_the_engines_alone() -> None:
    assert beyond(SpeakingStyle(rate=2, gain_db=3, whisper=True, pitch_st=2), frozenset()) == ()
    assert beyond(SpeakingStyle(pitch_range=0.5), frozenset()) == ("pitch",)
    assert beyond(SpeakingStyle(pitch_st=1), ALL_CONTROLS) == ()
