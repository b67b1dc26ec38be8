"""What the language model is told of a voice, and what the words withhold of it."""

from __future__ import annotations

import msgspec
import pytest

from vivavoce.perception.notes import CUES, EMOTIONS, LEAST_SCORE, note_for, sure_emotion
from vivavoce.perception.style import BY_EMOTION, style_for
from vivavoce.speaking_style import PLAIN
from vivavoce.types import Language
from vivavoce.voice_facts import Emotion, EmotionLabel, Prosody, VoiceFacts, WordsTell


def sounding(label: EmotionLabel, score: float = 0.97, change_st: float | None = None) -> VoiceFacts:
    prosody = Prosody(f0_delta_st=change_st)
    return VoiceFacts(emotion=Emotion(label=label, score=score, scores={label: score}, source="test"), prosody=prosody)


@pytest.mark.parametrize(
    ("label", "score", "change_st", "sure"),
    [
        ("angry", 0.94, None, False),
        ("angry", 0.95, None, True),
        ("angry", 0.9, 4.0, True),
        ("angry", 0.99, 0.5, False),
        ("angry", 0.89, 4.0, False),
        ("sad", 0.9, -2.0, True),
        ("sad", 0.99, 2.0, False),
        ("sad", 0.94, None, False),
        ("happy", 0.9, 3.0, True),
        ("happy", 0.99, -1.0, False),
        ("neutral", 1.0, None, False),
    ],
)
def test_an_emotion_is_sure_alone_or_with_the_pitch(
    label: EmotionLabel, score: float, change_st: float | None, sure: bool
) -> None:
    assert sure_emotion(sounding(label, score, change_st)) == (label if sure else None)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("emotion", "words", "told"),
    [
        ("sad", "good", False),
        ("angry", "good", False),
        ("sad", "plain", False),
        ("angry", "plain", False),
        ("sad", "bad", True),
        ("angry", "bad", True),
        ("sad", None, True),
    ],
)
def test_no_note_is_given_against_the_words(
    language: Language, emotion: EmotionLabel, words: WordsTell | None, told: bool
) -> None:
    assert note_for(sounding(emotion), language, words) == (EMOTIONS[language][emotion] if told else None)


@pytest.mark.parametrize(("words", "tired"), [("bad", False), ("plain", True), ("good", True), (None, True)])
def test_a_sad_voice_may_be_a_tired_one(words: WordsTell | None, tired: bool) -> None:
    facts = msgspec.structs.replace(sounding("sad"), cues=("tired",))
    assert note_for(facts, "en", words) == (CUES["en"]["tired"] if tired else EMOTIONS["en"]["sad"])


@pytest.mark.parametrize(("words", "told"), [("good", True), ("bad", False), ("plain", False), (None, True)])
def test_nobody_is_glad_about_bad_news(words: WordsTell | None, told: bool) -> None:
    assert note_for(sounding("happy"), "zh", words) == (EMOTIONS["zh"]["happy"] if told else None)


def test_a_doubtful_emotion_is_not_told_whatever_the_words_are() -> None:
    assert note_for(sounding("sad", LEAST_SCORE["sad"] - 0.01), "en", "bad") is None


def test_a_reply_is_spoken_as_fits_the_words_where_the_voice_says_the_opposite() -> None:
    assert style_for(sounding("sad"), "good") == PLAIN
    assert style_for(sounding("happy"), "bad") == PLAIN
    assert style_for(sounding("sad"), "plain") == style_for(sounding("sad")) == BY_EMOTION["sad"]
