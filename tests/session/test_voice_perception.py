"""How a session's turns sound: baselines, cues, what is told and what is not."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.perception.fillers import fillers
from vivavoce.perception.notes import CUES, EMOTIONS, note_for
from vivavoce.perception.questions import asks_about_sound
from vivavoce.perception.syllables import syllables
from vivavoce.protocol.items import Item, Part
from vivavoce.session.voice_perception import GENDER, GENDER_TURNS, SessionPerception, with_note
from vivavoce.types import Message, Transcript
from vivavoce.voice_facts import (
    Emotion,
    EmotionLabel,
    Labelled,
    Perceived,
    ProsodyMeasures,
    Sound,
    SoundKinds,
    VoiceFacts,
)

WORDS = "We could take the train along the river in the morning."


def measures(f0_hz: float = 120.0, level_db: float = -25.0, speech_s: float = 3.0, **more: float) -> ProsodyMeasures:
    usual = {"pause_share": 0.05, "tilt_db": 8.0, "snr_db": 40.0, "f0_range_st": 6.0, **more}
    return ProsodyMeasures(f0_hz=f0_hz, level_db=level_db, speech_s=speech_s, **usual)


def emotion(label: EmotionLabel, score: float) -> Emotion:
    rest = dict.fromkeys(("angry", "happy", "neutral", "sad"), (1 - score) / 3)
    return Emotion(label=label, score=score, scores=rest | {label: score}, source="test")


def turn(perceived: Perceived, text: str = WORDS, language: str = "en") -> Transcript:
    return Transcript(text, language, perceived=perceived)


def hearing(**how: bool) -> SessionPerception:
    return SessionPerception(**({"by_default": True, "announced": True, "instruct": True} | how))


def heard(listener: SessionPerception, perceived: Perceived, number: int = 0, text: str = WORDS) -> VoiceFacts:
    facts = listener.heard(f"item_{number}", turn(perceived, text), ())
    assert facts is not None
    return facts


def test_nothing_is_relative_before_there_is_a_baseline() -> None:
    listener = hearing()
    for number in range(5):
        facts = heard(listener, Perceived(prosody=measures()), number)
        assert facts.prosody is not None
        assert facts.prosody.f0_delta_st is None
        assert facts.arousal is None
        assert facts.cues == ()
        assert facts.prosody.baseline_turns == number
    facts = heard(listener, Perceived(prosody=measures(f0_hz=240)), 5)
    assert facts.prosody is not None
    assert facts.prosody.f0_delta_st == pytest.approx(12.0)


def test_a_raised_voice_is_one_that_stays_raised() -> None:
    listener = hearing()
    for number in range(6):
        heard(listener, Perceived(prosody=measures()), number)
    loud = Perceived(prosody=measures(f0_hz=190, level_db=-15))
    assert heard(listener, loud).cues == ()
    assert heard(listener, loud).cues == ("raised_voice",)


def test_an_emotional_minute_does_not_become_the_usual() -> None:
    listener = hearing()
    for number in range(20):
        heard(listener, Perceived(prosody=measures()), number)
    for number in range(8):
        facts = heard(listener, Perceived(prosody=measures(f0_hz=200)), 20 + number)
    assert facts.prosody is not None
    assert facts.prosody.f0_delta_st == pytest.approx(8.84, abs=0.1)


def test_several_signs_of_tiredness_are_a_cue() -> None:
    listener = hearing()
    for number in range(6):
        heard(listener, Perceived(prosody=measures()), number)
    tired = measures(f0_hz=108, speech_s=4.5, tilt_db=11.0, pause_share=0.2, f0_range_st=3.0)
    assert "tired" in heard(listener, Perceived(prosody=tired)).cues


def test_noise_takes_pitch_out_of_what_is_known() -> None:
    facts = heard(hearing(), Perceived(prosody=measures(snr_db=3.0)))
    assert facts.prosody is not None
    assert facts.prosody.f0_hz is None


def test_gender_is_told_only_to_who_asks_and_only_when_it_is_sure() -> None:
    listener = hearing()
    sure = turn(Perceived(prosody=measures(), female=0.97))
    for number in range(GENDER_TURNS + 1):
        told = listener.heard(f"item_{number}", sure, (GENDER,))
        assert told is not None
        assert (told.speaker is not None) == (number >= GENDER_TURNS - 1)
    unasked = listener.heard("item", sure, ())
    assert unasked is not None
    assert unasked.speaker is None
    doubtful = hearing()
    for number in range(6):
        assert doubtful.heard(f"item_{number}", turn(Perceived(female=0.6)), (GENDER,)) is None


@pytest.mark.parametrize(
    ("language", "label"), [("en", "angry"), ("en", "sad"), ("zh", "angry"), ("zh", "sad"), ("zh", "happy")]
)
def test_a_sure_emotion_is_one_fixed_instruction(label: EmotionLabel, language: str) -> None:
    listener = hearing()
    facts = listener.heard("item", turn(Perceived(emotion=emotion(label, 0.95)), language=language), ())
    assert facts is not None
    assert facts.note == EMOTIONS[language][label] == listener.note("item")
    listener.forget("item")
    assert listener.note("item") is None


@pytest.mark.parametrize(
    "perceived",
    [
        Perceived(prosody=measures()),
        Perceived(emotion=emotion("neutral", 1.0)),
        Perceived(emotion=emotion("sad", 0.7)),
        Perceived(emotion=emotion("happy", 1.0)),  # in English
    ],
)
def test_nothing_is_said_when_neutral_or_unsure(perceived: Perceived) -> None:
    assert heard(hearing(), perceived).note is None


def test_nothing_is_instructed_where_that_is_switched_off() -> None:
    facts = heard(hearing(instruct=False), Perceived(emotion=emotion("sad", 0.99)))
    assert facts.note is None
    assert facts.emotion is not None


def test_no_instruction_names_age_gender_or_dialect() -> None:
    texts = [text for table in (EMOTIONS, CUES) for own in table.values() for text in own.values()]
    assert not [
        word
        for text in texts
        for word in ("old", "young", "woman", "man ", "dialect", "岁", "女", "男", "方言")
        if word in text
    ]


def sound(label: str, score: float) -> Sound:
    return Sound(label=label, score=score, start_ms=0, end_ms=960)


NOTHING_BUT_SPEECH = SoundKinds(speech=0.99, singing=0.0, music=0.01)


def test_of_a_turn_without_words_only_sounds_are_told() -> None:
    barking = Perceived(
        prosody=measures(), emotion=emotion("angry", 0.99), language=Labelled(label="en", score=0.9), female=0.9,
        sounds=(sound("Dog", 0.8),), music=SoundKinds(speech=0.0, singing=0.0, music=0.0),
    )  # fmt: skip
    facts = heard(hearing(), barking, text="")
    assert facts == VoiceFacts(sounds=barking.sounds, music=barking.music, note=facts.note)
    assert facts.note is not None
    assert "a dog" in facts.note


def test_what_was_sent_before_a_question_is_what_it_asks_about() -> None:
    listener = hearing()
    heard(listener, Perceived(sounds=(sound("Siren", 0.8),), music=NOTHING_BUT_SPEECH), 0, text="")
    about = heard(listener, Perceived(prosody=measures(), music=NOTHING_BUT_SPEECH), 1, text="What sound was that?")
    assert about.sounds == ()
    assert "a siren" in str(about.note)
    again = heard(listener, Perceived(prosody=measures(), music=NOTHING_BUT_SPEECH), 2, text="What sound was that?")
    assert "no other sound" in str(again.note)


def user_item(item_id: str, kind: Literal["input_audio", "input_text"], text: str) -> Item:
    part = Part(type=kind, transcript=text) if kind == "input_audio" else Part(type=kind, text=text)
    return Item(id=item_id, role="user", content=(part,))


def test_a_question_in_text_is_about_the_newest_audio() -> None:
    listener = hearing()
    for number, label in enumerate(("Dog", "Cat")):
        heard(listener, Perceived(sounds=(sound(label, 0.8),), music=NOTHING_BUT_SPEECH), number, text="")
    items = [user_item("item_0", "input_audio", ""), user_item("item_1", "input_audio", "")]
    question, other = user_item("q", "input_text", "Is that a cat?"), user_item("o", "input_text", "What is the time?")
    assert "I think I hear a cat" in str(listener.note_for([*items, question], "en"))
    assert listener.note_for([*items, other], "en") is None
    assert listener.note_for([question], "en") is None
    assert hearing(instruct=False).note_for([*items, question], "en") is None


def test_a_question_about_audio_that_nobody_listened_to_is_owned_up_to() -> None:
    spoken = user_item("item_0", "input_audio", "How do I sound?")
    assert "cannot tell the mood" in str(hearing(by_default=False).note_for([spoken], "en"))


def test_who_asks_whether_a_man_or_a_woman_speaks_is_answered_once_it_is_sure() -> None:
    listener, question = hearing(), "Is a man or a woman speaking?"
    sure = Perceived(prosody=measures(), female=0.02)
    notes = [str(heard(listener, sure, number, text=question).note) for number in range(GENDER_TURNS)]
    assert ["a man's voice" in note for note in notes] == [False, False, True]
    assert all("cannot tell" in note for note in notes[:2])
    assert heard(listener, sure, text=question).speaker is None


def test_only_the_newest_turns_are_remembered() -> None:
    listener = hearing()
    for number in range(40):
        heard(listener, Perceived(emotion=emotion("sad", 0.95)), number)
    assert [listener.note(f"item_{number}") is not None for number in (0, 20, 30, 39)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("text", "count"),
    [("hello", 2), ("the train takes time", 4), ("我们明天去", 5), ("made", 1), ("", 0), ("table", 2)],
)
def test_syllables_are_counted(text: str, count: int) -> None:
    assert syllables(text) == count


def test_hesitations_are_counted() -> None:
    assert fillers("Um, I, uh, think so. Umbrella.") == 2
    assert fillers("嗯，我想，呃，好吧") == 2


@given(st.text())
def test_any_text_has_a_number_of_syllables(text: str) -> None:
    assert syllables(text) >= 0
    assert fillers(text) >= 0
    asks_about_sound(text)


def test_the_instruction_is_that_of_the_notes() -> None:
    assert note_for(VoiceFacts(cues=("tired", "hesitant")), "fr") == CUES["en"]["tired"]


def test_a_question_keeps_the_last_word_and_a_remark_is_followed_by_its_note() -> None:
    head, note = Message("system", "You are a voice."), Message("system", "The person sounds sad.", hint=True)
    question, remark = Message("user", "What is the capital of France?"), Message("user", "I lost my keys.")
    about_sound = Message("user", "How do I sound?")
    assert with_note((head, question), note.content) == (head, note, question)
    assert with_note((head, remark), note.content) == (head, remark, note)
    assert with_note((head, about_sound), note.content) == (head, about_sound, note)
