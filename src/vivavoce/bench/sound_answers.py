"""What an answer about the sound is, told by code: right, owned up, wrong with its doubt, or a guess told as a fact. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["right", "owned up", "wrong, in doubt", "guess as fact", "beside the point"]
VERDICTS: tuple[Verdict, ...] = ("right", "owned up", "wrong, in doubt", "guess as fact", "beside the point")

SOUND_PATTERNS: Mapping[str, str] = {
    "Dog": r"\bdogs?\b|\bbark|狗",
    "Cat": r"\bcats?\b|\bmeow|猫",
    "Car horn": r"\bhorns?\b|\bhonk|喇叭",
    "Thunder": r"\bthunder|雷",
    "Siren": r"\bsirens?\b|\bambulance|警笛|警报",
    "Music": r"\bmusic|\bmelody\b|\bguitar\b|音乐",
    "Bird": r"\bbirds?\b|鸟",
    "Baby cry": r"\bbaby\b|婴儿",
}
EMOTION_WORDS: Mapping[str, str] = {
    "angry": r"\bangry\b|\bupset\b|\bannoyed\b|生气|愤怒",
    "happy": r"\bhappy\b|\bcheerful\b|\bexcited\b|开心|高兴",
    "neutral": r"\bcalm\b|\bneutral\b|平静",
    "sad": r"\bsad\b|\bdown\b|难过|悲伤",
}
LANGUAGE_WORDS: Mapping[str, str] = {
    "en": r"\benglish\b|英语|英文",
    "zh": r"\bchinese\b|\bmandarin\b|中文|汉语|普通话",
    "de": r"\bgerman\b|\bdeutsch|德语",
}

_OWNS_UP = re.compile(
    r"\b(?:cannot|can't|can not|not able to|unable to)\b[^.]{0,40}\b(?:tell|say|determine|hear|know|identify)"
    r"|\bnot (?:quite )?sure\b|\bdo(?:n't| not) know\b|\bcould miss\b|听漏"
    r"|听不出|不能确定|不确定|无法(?:判断|确定|知道)|不知道",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\bmay\b|\bmight\b|\bperhaps\b|\bi think\b|\bfairly sure\b|\bprobably\b|\bsounds? (?:like|to me)|\bseems?\b"
    r"|\bnot sure\b|\bi would call\b"
    r"|可能|也许|觉得|比较有把握|像是|好像|大概",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|no|n't|cannot|nothing)\b|n't\b|没有|没听|不是|听不", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]?")


def verdict(answer: str, right: str | None, wrong: str, *, denies: bool = False) -> Verdict:
    """What ``answer`` is, where ``right`` and ``wrong`` are patterns of what it may claim; without ``right`` nobody can know.

    Claims are looked for in what is affirmed; where the right answer ``denies``, ``right`` is looked for in all that is told.
    """
    sentences = [match[0] for match in _SENTENCE.finditer(answer)]
    affirmed = [sentence for sentence in sentences if not _DENIED.search(sentence) or _doubts_only(sentence)]
    told = [sentence for sentence in sentences if not _OWNS_UP.search(sentence)]
    wrongly = [sentence for sentence in affirmed if re.search(wrong, sentence, re.IGNORECASE)]
    if wrongly:
        return "wrong, in doubt" if any(_DOUBT.search(sentence) for sentence in sentences) else "guess as fact"
    if right is not None and _says(right, told if denies else affirmed):
        return "right"
    if _OWNS_UP.search(answer):
        return "owned up"
    return "beside the point"


def _doubts_only(sentence: str) -> bool:
    """Whether what is denied is only that it is sure ("perhaps I hear a dog, but I am not sure")."""
    rest = re.sub(
        r"\bnot (?:quite |entirely |fully )?(?:sure|certain)\b|不(?:太)?确定", "", sentence, flags=re.IGNORECASE
    )
    return (
        not _DENIED.search(rest) and re.search(r"\bperhaps\b|\bthink\b|也许|觉得", sentence, re.IGNORECASE) is not None
    )


def _says(pattern: str, sentences: list[str]) -> bool:
    return any(re.search(pattern, sentence, re.IGNORECASE) for sentence in sentences)
