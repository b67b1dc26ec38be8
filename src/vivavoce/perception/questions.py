"""Questions about the sound itself ("how do I sound?"), and the facts in words for the answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vivavoce.types import Language
from vivavoce.voice_facts import VoiceFacts

_QUESTIONS = re.compile(
    r"\bhow (?:do|did|am) i sound|\bdo i sound\b|\bwhat (?:do|can|did) you hear\b|\bcan you hear\b(?! me\W*$)"
    r"|\b(?:is|was) (?:that|this|there) (?:any |some )?(?:music|singing|a song|noise)"
    r"|\bam i (?:speaking|talking|shouting|whispering)"
    r"|\bhow (?:fast|loud|quickly|slowly|high) (?:do|am|did) i\b|\b(?:my|this) (?:voice|tone)\b.*\?|\bwhat (?:sound|noise)s?\b"
    r"|\bwhat language (?:am|do|did) i\b|\bhow (?:am|do) i (?:speak|feel)\w*\b|\bguess (?:how i feel|my mood)"
    r"|\bwho(?:'s| is| am i)? (?:speaking|talking)\b|\bam i a (?:man|woman|boy|girl|child)\b"
    r"|我(?:的声音|的语气|说话)?听(?:起来|上去)|你(?:能|可以)?听到(?:了)?(?:什么|音乐|声音)|(?:有|是)(?:没有)?音乐(?:吗|声)"
    r"|我(?:说话|讲话|说得|讲得).{0,6}(?:快|慢|大声|小声|累|急)|我(?:的语气|的声音|的语速)|我说的(?:是)?什么(?:语言|话)"
    r"|什么(?:声音|语言)|听得出|我是(?:男|女)",
    re.IGNORECASE,
)

_RULE: Mapping[Language, str] = {
    "en": (
        "What you hear of the sound (all you know of it): {facts}. Answer the question from this in one or two short "
        "sentences and say that you may be wrong. What is not listed you cannot tell: say so."
    ),
    "zh": "你听到的声音情况（你只知道这些）：{facts}。请据此用一两句短话回答，并说明可能不准。没有列出的你听不出来，就照实说。",
}

_EMOTIONS = {"angry": "生气", "happy": "开心", "neutral": "平静", "sad": "难过"}
_CUES: Mapping[str, tuple[str, str]] = {
    "raised_voice": ("a raised voice", "声音提高了"),
    "lowered_voice": ("a lowered voice", "声音压低了"),
    "fast": ("faster than usual", "比平时快"),
    "slow": ("slower than usual", "比平时慢"),
    "hesitant": ("hesitant", "有些犹豫"),
    "tired": ("signs of tiredness", "可能有些疲倦"),
    "hurried": ("hurried", "有些着急"),
}
_LANGUAGES: Mapping[str, tuple[str, str]] = {
    "en": ("English", "英语"),
    "zh": ("Chinese", "中文"),
    "ja": ("Japanese", "日语"),
    "de": ("German", "德语"),
    "fr": ("French", "法语"),
    "es": ("Spanish", "西班牙语"),
    "ko": ("Korean", "韩语"),
    "ru": ("Russian", "俄语"),
}


def asks_about_sound(text: str) -> bool:
    """Whether a user asks what is heard, and not what was said."""
    return _QUESTIONS.search(text) is not None


def note_for_question(facts: VoiceFacts, language: Language) -> str:
    """What the language model is told for such a question: the facts with their scores, and to own up to the rest."""
    chinese = language == "zh"
    told = ("，" if chinese else ", ").join(_told(facts, chinese=chinese))
    nothing = "什么都听不确定" if chinese else "nothing sure"
    return _RULE["zh" if chinese else "en"].format(facts=told or nothing)


def _told(facts: VoiceFacts, *, chinese: bool) -> Iterator[str]:
    if facts.language is not None:
        name = _LANGUAGES.get(facts.language.label, (facts.language.label,) * 2)[chinese]
        yield f"{'语言' if chinese else 'language'} {name} ({_percent(facts.language.score)})"
    if facts.emotion is not None:
        label = _EMOTIONS[facts.emotion.label] if chinese else facts.emotion.label
        yield f"{'情绪像是' if chinese else 'sounds'} {label} ({_percent(facts.emotion.score)})"
    else:
        yield "情绪听不准" if chinese else "the emotion cannot be told"
    prosody = facts.prosody
    if prosody is not None and prosody.syllables_per_s is not None:
        rate = prosody.syllables_per_s
        yield f"每秒{rate:.1f}个音节" if chinese else f"{rate:.1f} syllables a second ({_speed(rate)})"
    if prosody is not None and prosody.f0_hz is not None:
        yield f"音高{prosody.f0_hz:.0f}赫兹" if chinese else f"pitch {prosody.f0_hz:.0f} Hz"
    yield from (_CUES[cue][chinese] for cue in facts.cues)
    if facts.kinds is not None:
        for name, words in (("music", ("music", "音乐")), ("singing", ("singing", "唱歌"))):
            score = getattr(facts.kinds, name)
            if score >= HEARD:
                yield f"{words[chinese]} ({_percent(score)})"
            elif score < UNHEARD:
                yield f"{'没有' if chinese else 'no '}{words[chinese]}"
    for sound in facts.sounds:
        yield f"{'声音：' if chinese else 'a sound of '}{sound.label} ({_percent(sound.score)})"


HEARD, UNHEARD = 0.4, 0.1
"""Scores from which on, and below which, music or singing is told; between, nothing is."""

FAST_PER_S, SLOW_PER_S = 5.5, 3.0


def _speed(rate: float) -> str:
    return "fast" if rate > FAST_PER_S else "slow" if rate < SLOW_PER_S else "ordinary speed"


def _percent(score: float) -> str:
    return f"{round(score * 100)} %"
