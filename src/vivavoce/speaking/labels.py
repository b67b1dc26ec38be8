"""StepFun's voice labels (audio reference, section 6) as speaking styles.

A label is one where pitch, rate, energy and pauses tell it. The directions are those of reviews of vocal expression
(Juslin and Laukka, 2003, Communication of emotions in vocal expression and music performance, table 7; Scherer, 2003, Vocal
communication of emotion); the amounts are ours, within what stays intelligible (``bench speaking --styles``). ``None`` stands
where the voice itself would have to be another one, or the joke lies in the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from vivavoce.speaking_style import SpeakingStyle
from vivavoce.types import Language

Dialect: TypeAlias = Literal["sichuanese", "cantonese"]

HAPPY = SpeakingStyle(rate=1.05, pitch_st=1.5, pitch_range=1.25, gain_db=1.0, brightness_db=1.5)
SAD = SpeakingStyle(rate=0.85, pitch_st=-1.5, pitch_range=0.65, gain_db=-3.0, brightness_db=-3.0, pauses=1.4)
ANGRY = SpeakingStyle(rate=1.08, pitch_st=1.0, pitch_range=1.3, gain_db=3.0, brightness_db=3.0, pauses=0.8)
EXCITED = SpeakingStyle(rate=1.15, pitch_st=3.0, pitch_range=1.5, gain_db=3.0, brightness_db=3.0, pauses=0.8)
AFRAID = SpeakingStyle(rate=1.15, pitch_st=3.0, pitch_range=0.75, gain_db=-2.0, brightness_db=1.0)
SURPRISED = SpeakingStyle(rate=1.05, pitch_st=3.0, pitch_range=1.6, gain_db=1.5, brightness_db=1.5)
GENTLE = SpeakingStyle(rate=0.92, pitch_range=0.85, gain_db=-3.0, brightness_db=-2.5, pauses=1.2)
SERIOUS = SpeakingStyle(rate=0.92, pitch_st=-1.5, pitch_range=0.75, gain_db=1.0)
COLD = SpeakingStyle(rate=0.95, pitch_st=-1.0, pitch_range=0.4, gain_db=-1.0)
SHOUTING = SpeakingStyle(rate=0.95, pitch_st=4.0, pitch_range=1.3, gain_db=6.0, brightness_db=5.0)

EMOTIONS: Mapping[str, SpeakingStyle | None] = MappingProxyType(
    {
        "高兴": HAPPY,
        "非常高兴": SpeakingStyle(rate=1.1, pitch_st=2.5, pitch_range=1.5, gain_db=2.0, brightness_db=2.5),
        "悲伤": SAD,
        "生气": ANGRY,
        "非常生气": SpeakingStyle(1.12, 2.0, 1.5, 5.0, 4.0, 0.7),
        "撒娇": SpeakingStyle(rate=0.94, pitch_st=3.0, pitch_range=1.4, brightness_db=1.0),
        "恐惧": AFRAID,
        "惊讶": SURPRISED,
        "兴奋": EXCITED,
        "钦佩": SpeakingStyle(rate=0.94, pitch_st=1.0, pitch_range=1.3),
        "困惑": SpeakingStyle(rate=0.88, pitch_st=1.0, pitch_range=1.2, gain_db=-1.0, pauses=1.5),
    }
)
STYLES: Mapping[str, SpeakingStyle | None] = MappingProxyType(
    {
        "极慢": SpeakingStyle(rate=0.65),
        "慢速": SpeakingStyle(rate=0.8),
        "快速": SpeakingStyle(rate=1.25),
        "极快": SpeakingStyle(rate=1.5),
        "冷漠": COLD,
        "尴尬": SpeakingStyle(rate=0.88, pitch_range=0.8, gain_db=-2.0, pauses=1.6),
        "沮丧": SpeakingStyle(rate=0.8, pitch_st=-2.0, pitch_range=0.55, gain_db=-3.0, brightness_db=-3.5, pauses=1.5),
        "骄傲": SpeakingStyle(rate=0.95, pitch_range=1.25, gain_db=2.0, brightness_db=1.5),
        "温柔": GENTLE,
        "甜美": SpeakingStyle(pitch_st=2.0, pitch_range=1.2, gain_db=-1.0),
        "豪爽": SpeakingStyle(rate=1.08, pitch_st=-0.5, pitch_range=1.35, gain_db=3.5, brightness_db=2.0),
        "严肃": SERIOUS,
        "傲慢": None,
        "老年": None,
        "吼叫": SHOUTING,
        "阴阳怪气": None,
        "磕巴": None,
    }
)
LANGUAGES: Mapping[str, Language | Dialect] = MappingProxyType(
    {"日语": "ja", "粤语": "cantonese", "四川话": "sichuanese"}
)
DIALECTS: frozenset[str] = frozenset({"cantonese", "sichuanese"})
"""Spoken by no voice: their words can be written, their sound is Mandarin's."""
