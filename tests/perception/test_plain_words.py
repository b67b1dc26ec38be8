"""Words that tell the opposite of what a voice is taken to say."""

from __future__ import annotations

import pytest

from vivavoce.perception.notes import EMOTIONS, note_for
from vivavoce.perception.plain_words import contradicts
from vivavoce.types import Language
from vivavoce.voice_facts import Emotion, EmotionLabel, VoiceFacts


@pytest.mark.parametrize(
    ("text", "emotion", "expected"),
    [
        ("I passed the exam!", "sad", True),
        ("Thank you, that was very kind.", "angry", True),
        ("My grandmother died.", "happy", True),
        ("I got the results today.", "sad", False),
        ("I got the results today.", "happy", False),
        ("I am not happy with that.", "sad", False),
        ("It is great that you ask, but I lost my job.", "sad", False),
        ("It is great that you ask, but I lost my job.", "happy", False),
        ("My grandmother died.", "sad", False),
        ("I passed the exam!", "happy", False),
        ("I passed the exam!", "neutral", False),
        ("谢谢你，太好了。", "angry", True),
        ("我不喜欢这个。", "sad", False),
        ("我的狗跑丢了。", "happy", True),
        ("包裹到了。", "happy", False),
    ],
)
def test_plain_words_count_for_more_than_the_voice(text: str, emotion: EmotionLabel, expected: bool) -> None:
    assert contradicts(text, emotion) is expected


@pytest.mark.parametrize(("language", "text"), [("en", "Thank you so much!"), ("zh", "谢谢你！")])
def test_no_note_is_given_against_the_words(language: Language, text: str) -> None:
    facts = VoiceFacts(emotion=Emotion(label="sad", score=0.97, scores={"sad": 0.97}, source="test"))
    assert note_for(facts, language) == EMOTIONS[language]["sad"]
    assert note_for(facts, language, text) is None
