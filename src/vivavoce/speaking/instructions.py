"""What free text wants of a voice ("softly, a little sad", 语气温柔, ゆっくり): the styles of the words that are known."""

from __future__ import annotations

import re
from threading import Lock

from cachetools import LRUCache, cached

from vivavoce.digests import text_digest
from vivavoce.speaking.labels import (
    AFRAID,
    ANGRY,
    COLD,
    EXCITED,
    GENTLE,
    HAPPY,
    SAD,
    SERIOUS,
    SHOUTING,
    STYLES,
    SURPRISED,
)
from vivavoce.speaking_style import PLAIN, WHISPER, SpeakingStyle

SLOW, FAST = SpeakingStyle(rate=0.8), SpeakingStyle(rate=1.25)
LOUD = SpeakingStyle(gain_db=4.0, brightness_db=2.0)
QUIET = SpeakingStyle(gain_db=-5.0, brightness_db=-2.0)
HIGH, LOW = SpeakingStyle(pitch_st=3.0), SpeakingStyle(pitch_st=-3.0)

_WORDS: tuple[tuple[str, SpeakingStyle], ...] = (
    (r"\bwhisper\w*|耳语|悄悄|气声|ささや[いきくけ]\w*|ひそひそ", WHISPER),
    (r"\b(?:excited|enthusiastic|energetic|thrilled)(?:ly)?\b|兴奋|激动|热情|興奮", EXCITED),
    (
        r"\b(?:happy|happily|cheerful|joyful|upbeat|lively|bright|playful)(?:ly)?\b|高兴|开心|欢快|快乐|愉快|活泼|喜悦"
        r"|明る[いく]|楽し(?:そう|[いく])|嬉し(?:そう|[いく])|元気",
        HAPPY,
    ),
    (r"\b(?:depressed|dejected|hopeless)\b|沮丧|绝望|落ち込\w*", STYLES["沮丧"] or PLAIN),
    (r"\b(?:sad|sadly|sorrowful|mournful|melancholic|melancholy)\b|悲伤|难过|伤心|忧伤|悲し(?:そう|[いく])", SAD),
    (r"\b(?:angry|angrily|furious|furiously)\b|生气|愤怒|怒り|怒って", ANGRY),
    (r"\b(?:afraid|fearful|scared|frightened|anxious)(?:ly)?\b|害怕|恐惧|紧张|怖(?:そう|がって)", AFRAID),
    (r"\b(?:surprised|astonished|amazed)\b|惊讶|吃惊|驚い[たて]", SURPRISED),
    (
        r"\b(?:gentle|gently|calm|calmly|soothing|soothingly|tender|tenderly|warm|warmly|comforting|kind|kindly)\b"
        r"|温柔|平静|柔和|温和|安慰|亲切|優し[いく]|やさし[いく]|落ち着い[たて]|穏やか",
        GENTLE,
    ),
    (r"\b(?:serious|seriously|formal|formally|solemn|solemnly)\b|严肃|庄重|正式|真剣|厳か", SERIOUS),
    (r"\b(?:cold|coldly|flat|monotone|robotic|indifferent)\b|冷漠|冷淡|平淡|単調|冷た[いく]", COLD),
    (r"\b(?:shout|shouting|yell|yelling|scream|screaming)\b|吼叫?|大喊|叫ん\w|怒鳴\w+", SHOUTING),
    (r"\b(?:slow|slower|slowly|unhurried)\b|缓慢|慢慢|慢速|慢|ゆっくり", SLOW),
    (r"\b(?:fast|faster|quick|quicker|quickly|rapid|rapidly|brisk|briskly)\b|快速|快|早口|[速早]く", FAST),
    (r"\b(?:loud|louder|loudly)\b|大声|响亮|洪亮|大き(?:な|い)声", LOUD),
    (r"\b(?:soft|softer|softly|quiet|quieter|quietly|hushed)\b|轻声|小声|轻轻|小さ(?:な|い)声|静か", QUIET),
    (r"\bhigh(?:er)?[- ]pitch(?:ed)?\b|\bhigh(?:er)?(?= voice)|尖细|高音|高い声|高め", HIGH),
    (r"\b(?:low|lower)[- ]pitch(?:ed)?\b|\b(?:deep|deeper|low|lower)\b|低沉|低音|深沉|低い声|低め", LOW),
    (r"\bwith (?:long(?:er)? )?pauses\b|停顿|間を(?:置|お)い[たて]", SpeakingStyle(pauses=1.8)),
)
"""The first that matches takes its words away from the others."""

_STYLES = tuple((re.compile(pattern, re.IGNORECASE), style) for pattern, style in _WORDS)

_NEGATED = re.compile(
    r"(?:\b(?:not|never|no|without|don't|avoid|isn't)\b[\w\s]{0,12}|(?:不要?|别|勿)[太再这那么]*)$", re.IGNORECASE
)

_IDLE = re.compile(
    r"\b(?:a|an|the|in|with|and|or|but|very|really|quite|please|speak|speaking|talk|talking|say|saying|read|reading|sound"
    r"|sounding|voice|tone|style|manner|way|pace|speed|volume|it|this|that|be|more|slightly|bit|little|rather|somewhat|use"
    r"|using|your|of|as|if|you|were|are|to|at|make|keep|all|always|kind|sort)\b"
    r"|[请用以的地得着带说讲读念话来要更再很太]|语气|语调|语速|声音|嗓音|音量|口吻|方式|情绪|一点|一些|非常|比较|稍微|有点|感觉"
    r"|話し方|話し|話す|読んで|しゃべって|ください|声|口調|調子|感じ|もっと|少し|とても|して|[でにとのをはがなくてた]|[点些和且而吧]",
    re.IGNORECASE,
)
"""What says nothing of its own about a voice."""


@cached(LRUCache[bytes, tuple[SpeakingStyle, bool]](256), key=text_digest, lock=Lock())
def style_of(instruction: str) -> tuple[SpeakingStyle, bool]:
    """(the style of what is understood of ``instruction``, whether that is all of it)."""
    style, rest, whole = PLAIN, instruction, True
    for pattern, of_words in _STYLES:
        match = pattern.search(rest)
        if match is None:
            continue
        if _NEGATED.search(rest[: match.start()]):
            whole = False
        else:
            style = style.then(of_words)
        rest = pattern.sub(" ", rest)
    return style, whole and not any(char.isalnum() for char in _IDLE.sub(" ", rest))
