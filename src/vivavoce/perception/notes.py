"""What the language model is told of a voice: one short fixed instruction, or nothing. Pure.

An instruction as a system message behind the user's turn was what small models followed best of the forms that were tried; a
description in brackets they read aloud. It never names age, gender or dialect.
"""

from __future__ import annotations

from collections.abc import Mapping

from vivavoce.perception.answers import answer
from vivavoce.perception.questions import named_sound, topics_of
from vivavoce.types import Language
from vivavoce.voice_facts import Cue, Emotion, EmotionLabel, VoiceFacts, WordsTell

LEAST_SCORE: Mapping[EmotionLabel, float] = {"angry": 0.9, "sad": 0.9, "happy": 0.9, "neutral": 2.0}
"""From which score an emotion is answered to that the pitch agrees with; neutral asks for nothing."""

LEAST_ALONE: Mapping[EmotionLabel, float] = {"angry": 0.95, "sad": 0.95, "happy": 0.9, "neutral": 2.0}
"""The same while it is not known how the person usually speaks: ``docs/understanding.md`` has what that costs and saves."""

RAISED_ST: Mapping[EmotionLabel, float] = {"angry": 2.0, "happy": 1.0}
NOT_RAISED_ST = 0.5
"""Pitch against the speaker's usual one, in semitones: an angry voice is so much higher at least, and a sad one is not."""

EMOTIONS: Mapping[Language, Mapping[EmotionLabel, str]] = {
    "en": {
        "sad": "They sound sad. Say first that you feel with them.",
        "angry": "They sound upset. Say sorry first, then help.",
    },  # nothing for the happy: told or not, as many answers fitted, and those told wrongly did harm
    "zh": {
        "sad": "先说“听起来你心里不好受”，再关心地问一句。",
        "angry": "先说“真抱歉，让你生气了”，再问怎么帮忙。",
        "happy": "先说“真替你高兴”，再接着问。",
    },
}

CUES: Mapping[Language, Mapping[Cue, str]] = {
    "en": {
        "hurried": "Answer in one short sentence.",
        "tired": "They may be tired. Be warm and brief.",
        "raised_voice": "Stay calm and be brief.",
        "hesitant": "Be patient and keep it simple.",
    },
    "zh": {
        "hurried": "只用一句短话回答。",
        "tired": "对方累了，温和简短一点。",
        "raised_voice": "保持平静，简短回答。",
        "hesitant": "耐心一点，说得简单。",
    },
}
"""The first that is there is told, if no emotion is told."""

BEGUN: Mapping[str, str] = {
    CUES["en"]["tired"]: "You sound a little tired, so I",
    CUES["zh"]["tired"]: "听起来你有点累了，",
}
"""How the answer to such an instruction begins: told of a tired driver, a small model left it out."""

ANSWERS: Mapping[Language, str] = {
    "en": 'Say exactly this, and add nothing about the sound: "{}"',
    "zh": "请原样说这句话，关于声音不要添加任何内容：“{}”",
    "ja": "次の文をそのまま言い、音については何も付け加えないでください：「{}」",
}
"""For questions about the sound itself: what the facts answer, word for word."""


def may_be_sure(emotion: Emotion | None) -> bool:
    """Whether an emotion may be answered to, if the pitch agrees with it."""
    return emotion is not None and emotion.score >= LEAST_SCORE[emotion.label]


def sure_emotion(facts: VoiceFacts) -> EmotionLabel | None:
    """The emotion that is answered to, if one is. Once it is known how the person usually speaks, pitch tells a voice that has
    changed from one that sounds angry or sad in itself.
    """
    emotion = facts.emotion
    if emotion is None or not may_be_sure(emotion):
        return None
    change_st = facts.prosody.f0_delta_st if facts.prosody is not None else None
    if change_st is None:
        return emotion.label if emotion.score >= LEAST_ALONE[emotion.label] else None
    least_st = RAISED_ST.get(emotion.label)
    agrees = change_st <= NOT_RAISED_ST if least_st is None else change_st >= least_st
    return emotion.label if agrees else None


def contradicts(words: WordsTell | None, emotion: EmotionLabel) -> bool:
    """Whether the words tell the opposite of what the voice is taken for: they are believed then, as voices are misheard."""
    return words == ("bad" if emotion == "happy" else "good")


def note_for(facts: VoiceFacts, language: Language, words: WordsTell | None = None) -> str | None:
    """The instruction for a turn that sounds so, in its language (English for others).

    ``None`` where nothing is sure. An emotion that the ``words`` tell the opposite of, or leave no place for, is not told; nor
    is a sad voice that may be a tired one, unless the words tell of something bad.
    """
    spoken = language if language in EMOTIONS else "en"
    emotion = sure_emotion(facts)
    tired = emotion == "sad" and "tired" in facts.cues and words != "bad"
    if emotion is not None and not tired and words != "plain" and not contradicts(words, emotion):
        return EMOTIONS[spoken].get(emotion)
    return next((text for cue, text in CUES[spoken].items() if cue in facts.cues), None)


def note_for_question(facts: VoiceFacts, text: str, language: Language) -> str:
    """The instruction for a question about the sound, or for a turn without words: to say what was heard."""
    spoken = language if language in ANSWERS else "en"
    return ANSWERS[spoken].format(answer(facts, topics_of(text) or frozenset({"heard"}), named_sound(text), spoken))
