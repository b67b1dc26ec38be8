"""How a reply is spoken to somebody who sounds so: small amounts, only where it is sure, never against what was asked."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.perception.notes import LEAST_ALONE
from vivavoce.perception.style import BY_CUE, BY_EMOTION, style_for
from vivavoce.session.reply_style import reply_style
from vivavoce.session.voice_perception import SessionPerception
from vivavoce.session.voice_requests import VoiceRequests
from vivavoce.speaking.delivery import Delivery, delivery
from vivavoce.speaking_style import NO_CONTROLS, PLAIN, SpeakingStyle
from vivavoce.types import Transcript
from vivavoce.voice_facts import Cue, Emotion, EmotionLabel, Perceived, VoiceFacts

FACTS = st.builds(
    lambda label, score, cues: VoiceFacts(
        emotion=None if label is None else Emotion(label=label, score=score, scores={}, source="test"), cues=tuple(cues)
    ),
    st.sampled_from([None, *get_args(EmotionLabel)]),
    st.floats(0, 1),
    st.lists(st.sampled_from(get_args(Cue)), unique=True, max_size=3),
)


def sounding(label: EmotionLabel, score: float = 0.97) -> VoiceFacts:
    return VoiceFacts(emotion=Emotion(label=label, score=score, scores={}, source="test"))


def test_the_table_goes_the_way_a_listener_would() -> None:
    sad, angry, happy = (style_for(sounding(label)) for label in ("sad", "angry", "happy"))
    assert sad.rate < 1
    assert sad.pitch_st < 0
    assert sad.gain_db < 0
    assert angry.pitch_range < 1
    assert angry.gain_db <= 0
    assert happy.pitch_st > 0
    assert happy.brightness_db > 0
    assert style_for(sounding("neutral", 1.0)) == PLAIN


@given(FACTS)
def test_only_what_is_sure_counts_and_only_a_little(facts: VoiceFacts) -> None:
    style = style_for(facts)
    if facts.emotion is not None and facts.emotion.score >= LEAST_ALONE[facts.emotion.label]:
        assert style == BY_EMOTION[facts.emotion.label]
    elif not set(facts.cues) & BY_CUE.keys():
        assert style == PLAIN
    assert 0.85 <= style.rate <= 1.15
    assert abs(style.pitch_st) <= 1
    assert 0.75 <= style.pitch_range <= 1.25
    assert -3 <= style.gain_db <= 1
    assert not style.whisper


@given(
    FACTS, st.sampled_from(["", "Speak louder.", "Speak slower.", "Use a deeper voice.", "Whisper!", "Speak normally."])
)
def test_what_the_user_asked_for_stays(facts: VoiceFacts, said: str) -> None:
    requests = VoiceRequests()
    requests.take(said)
    style = reply_style(Delivery(), "", requests, style_for(facts)).style
    asked = requests.style
    if said in ("Whisper!", "Speak normally."):
        assert style == asked
    for name in ("rate", "gain_db", "pitch_st"):
        if getattr(asked, name) != getattr(PLAIN, name):
            assert getattr(style, name) == getattr(asked, name)


@pytest.mark.parametrize(
    ("label", "instruction", "instructions", "speed"),
    [
        ({"style": "快速"}, None, "", 1.0),
        (None, "fast", "", 1.0),
        (None, None, "Talk quickly.", 1.0),
        (None, None, "", 1.3),
    ],
)
def test_what_the_client_asked_for_stays(
    label: dict[str, str] | None, instruction: str | None, instructions: str, speed: float
) -> None:
    sad = style_for(sounding("sad"))
    style = reply_style(delivery(label, instruction), instructions, VoiceRequests(), sad, speed=speed).style
    assert style.rate == (1.25 if speed == 1.0 else 1.0)
    assert style.gain_db == sad.gain_db


@pytest.mark.parametrize("on", [True, False])
def test_it_can_be_switched_off(on: bool) -> None:
    hearing = SessionPerception(by_default=True, announced=True, instruct=False, style=on)
    emotion = Emotion(label="sad", score=0.97, scores={}, source="test")
    hearing.heard("item", Transcript("Oh well.", "en", perceived=Perceived(emotion=emotion)), ())
    assert hearing.style("item") == (BY_EMOTION["sad"] if on else PLAIN)
    hearing.forget("item")
    assert hearing.style("item") == PLAIN


def test_a_voice_is_not_asked_for_what_it_cannot_do() -> None:
    sad = style_for(sounding("sad"))
    style = reply_style(Delivery(), "", VoiceRequests(), sad, controls=NO_CONTROLS).style
    assert not style.needs
    assert (style.rate, style.gain_db) == (sad.rate, sad.gain_db)


def test_nothing_heard_changes_nothing() -> None:
    assert reply_style(Delivery(), "", VoiceRequests()).style == SpeakingStyle()
