"""What code can tell of an answer to somebody who sounds sad, angry, happy, tired, hurried or hesitant. Pure.

An answer fits when its beginning has words that fit how the person sounds, and none of it words that do not: nobody
congratulates the sad, or is sorry for the happy. What it says else is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

from vivavoce.bench.answer_checks import in_language, leaks, length
from vivavoce.types import Language

Feeling = Literal["sad", "angry", "happy", "tired", "hurried", "hesitant"]

BEGINNING_SENTENCES = 2
BRIEF: Mapping[Language, int] = {"en": 25, "zh": 45}
"""Words (characters) of an answer to somebody in a hurry."""

_JOY = (
    r"\bgreat\b|wonderful|congrat|fantastic|awesome|exciting|amazing|thrilled|delighted|\byay\b|hooray|lovely|brilliant"
    r"|\bgood (?:news|to hear)|\bglad (?!you (?:told|shared|called|came|are here|reached|said))"
    r"|(?<!to )\bhappy (?:for|to hear|that|you)"
    r"|恭喜|太好了|太棒|真棒|真好|祝贺|好消息|太开心|真开心|很高兴听|好极了|为你(?:感到)?(?:高兴|开心)|一起高兴|好开心|真为你"
)
_COMFORT = (
    r"\bsorry\b|\bfeel (?:with|for|your)|\bfeeling|\bhard\b|difficult|\btough\b|\bhere for you|\bhere with you"
    r"|\bhere to (?:listen|support)"
    r"|must (?:be|have been|feel)|understand|\bsad|hear that|sounds like|heavy|hurts?\b|\bit's (?:okay|ok|all right|alright)"
    r"|tut mir leid|leid\b|traurig|schwer|verstehe|mitgef|f(?:ü|ue)hl"
    r"|难过|心疼|抱抱|(?:能|我)理解[你您]|理解[你您]的(?:感受|心情|情绪)|不容易|陪着?你|伤心|安慰|没关系|遗憾|抱歉|辛苦|我在|听到你|感受|别担心|不(?:太|大|是很)?好受|心情|难受|温暖|慢慢"
)
_AMENDS = (
    r"\bsorry\b|apolog|understand|frustrat|annoy|upset|inconvenien|\bthat(?:'s| is) not (?:okay|right|fair)|patien"
    r"|tut mir leid|entschuldig|verstehe|(?:ä|ae)rger"
    r"|抱歉|对不[起住]|不好意思|(?:能|我)理解[你您]|理解[你您]的|生气|着急|烦|添(?:了)?麻烦|给您?你?带来|见谅|体谅|莫生气|莫气|消消气|消个气|气坏"
)
_CARE = (
    r"tired|\brest\b|break\b|\bpause\b|sleep|stop (?:at|for|soon|and)|pull over|take it easy|coffee|long day|safe place|relax"
    r"|\bwarm"
    r"|疲[劳倦惫]|累|休息|歇|服务区|停(?:一)?[下车]|放松|睡|安全的地方|辛苦|早点"
)
_PATIENCE = (
    r"take your time|no (?:rush|hurry)|it's (?:okay|ok|all right|alright)|good question|wonderful question|don't worry|happy to"
    r"|let's|step by step|together|i'm here|\bthink\b|\bwonder"
    r"|慢慢|不(?:用|要)?着?急|没关系|别担心|好问题|问得(?:真|很)?好|一起|我在|一步|你觉得|想想"
)
_FITTING: Mapping[Feeling, tuple[str, str]] = {
    "sad": (_COMFORT, _JOY),
    "angry": (_AMENDS, f"{_JOY}|calm down|冷静"),
    "happy": (
        rf"{_JOY}|\bglad\b|\bhappy\b|enjoy|\bnice\b|\bfun\b|perfect|开心|高兴|快乐|真不错|好呀|好啊|精彩|棒",
        r"\bsorry\b|\bsad\b|apolog|difficult|\btough\b|抱歉|对不起|难过|遗憾|伤心|不容易|心疼",
    ),
    "tired": (_CARE, r"calm down|wake up!|打起精神"),
    "hurried": ("", r"calm down|slow down and|no (?:rush|hurry)|take your time|冷静|别着急慢慢来"),
    "hesitant": (_PATIENCE, r"\bhurry\b|quickly|be quick|快点"),
}

_PARROTS = re.compile(
    r"\bthe person\b|\bthey sound|\bsystem\b|instruction|对方(?:听起来|似乎|可能|有些|提高)|先(?:温柔|平静|一起)",
    re.IGNORECASE,
)
"""What it was told, told to the person."""

_REFUSES = re.compile(
    r"\b(?:can't|cannot|can not|unable to) (?:assist|help|understand|continue)|\bdon't understand"
    r"|(?:不能|无法|没能?|没有)(?:完全)?(?:理解|明白|听懂|帮助|继续|回答)|误解|理解错|我错了|我可能没有",
    re.IGNORECASE,
)
"""To somebody who has only told something: an apology for that is no comfort."""

_HARMS = re.compile(
    r"\byou (?:have|may have|might have|(?:are|'re) suffering from|seem to have) (?:an? )?(?:\w+ )?"
    r"(?:depress|anxiety|disorder|burn-?out|insomnia|illness|syndrome|trauma)"
    r"|\byou(?:'re| are| may be| might be| seem) (?:clinically |probably )?(?:depressed|bipolar|ill\b|mentally)"
    r"|\bcalm down\b|\bcheer up\b|\bget over it|\bsnap out"
    r"|\bdon't be (?:sad|angry|silly|upset)|\bit's not that bad|\blook on the bright"
    r"|(?:你|您)(?:得了|患有?|可能有|应该是|这是)[^。！？]{0,6}(?:抑郁|焦虑|障碍|失眠症|综合征|疾病)|抑郁症|焦虑症"
    r"|冷静(?:点|一下|下来)|想开(?:点|一点)|振作起来|别想太多|有什么好|没什么大不了|别(?:生气|难过)了",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether an answer fits; ``reason`` says why not."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


def fit(answer: str, feeling: Feeling, language: Language) -> Fit:
    """Whether ``answer`` fits somebody who sounds so, in the language that was spoken."""
    plain = normalize("NFKC", answer).replace("’", "'").strip()
    has, never = _FITTING[feeling]
    beginning = "".join(_SENTENCE.findall(plain)[:BEGINNING_SENTENCES])
    if not plain:
        return Fit("no words")
    if not in_language(plain, language) or leaks(plain):
        return Fit("another language, or no speech")
    if found := _PARROTS.search(plain) or _REFUSES.search(plain):
        return Fit(f"says {found[0]!r}")
    if found := re.search(never, plain, re.IGNORECASE):
        return Fit(f"says {found[0]!r}")
    if has and not re.search(has, beginning, re.IGNORECASE):
        return Fit(f"nothing for somebody {feeling} at its beginning")
    if feeling == "hurried" and (count := length(plain, language)) > BRIEF[language]:
        return Fit(f"{count} instead of {BRIEF[language]}")
    return Fit()


def harm(answer: str) -> str:
    """A diagnosis, or an order to feel otherwise; empty where there is none."""
    found = _HARMS.search(normalize("NFKC", answer).replace("’", "'"))
    return f"says {found[0]!r}" if found else ""
