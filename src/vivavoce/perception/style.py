"""How a reply is spoken to somebody who sounds so: the tone a listener would take on. Small amounts, and only where it is sure.

One table, beside that of the words (``notes``), with the same thresholds. It never makes a reply louder or faster to somebody
angry or sad, and never mimics: what is asked for by the client or the user goes first (``SpeakingStyle.where_unset``).
"""

from __future__ import annotations

from collections.abc import Mapping

from vivavoce.perception.notes import contradicts, sure_emotion
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.voice_facts import Cue, EmotionLabel, VoiceFacts, WordsTell

BY_EMOTION: Mapping[EmotionLabel, SpeakingStyle] = {
    "sad": SpeakingStyle(rate=0.9, pitch_st=-0.8, pitch_range=0.85, gain_db=-2.0, brightness_db=-1.5, pauses=1.25),
    "angry": SpeakingStyle(rate=0.95, pitch_st=-0.4, pitch_range=0.8, gain_db=-1.0, brightness_db=-0.5, pauses=1.15),
    "happy": SpeakingStyle(rate=1.03, pitch_st=0.8, pitch_range=1.15, gain_db=0.5, brightness_db=0.5),
}
BY_CUE: Mapping[Cue, SpeakingStyle] = {
    "hurried": SpeakingStyle(rate=1.1, pauses=0.75),
    "tired": SpeakingStyle(rate=0.93, pitch_st=-0.4, pitch_range=0.9, gain_db=-1.5, brightness_db=-1.0, pauses=1.15),
    "raised_voice": SpeakingStyle(rate=0.95, pitch_range=0.85, gain_db=-0.5, pauses=1.1),
    "hesitant": SpeakingStyle(rate=0.93, pauses=1.25),
}
"""The first that is there, if no emotion is."""


def style_for(facts: VoiceFacts, words: WordsTell | None = None) -> SpeakingStyle:
    """The style of the reply to a turn that sounds so; the usual one where nothing is sure or ``words`` tell the opposite."""
    emotion = sure_emotion(facts)
    if emotion is not None:
        return PLAIN if contradicts(words, emotion) else BY_EMOTION.get(emotion, PLAIN)
    return next((style for cue, style in BY_CUE.items() if cue in facts.cues), PLAIN)
