"""What a sentence asks of the voice of whoever it is said to: "speak slower", 小声一点, もっとゆっくり話して."""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Lock
from typing import Literal, TypeAlias

from cachetools import LRUCache, cached

from vivavoce.digests import text_digest

Request: TypeAlias = Literal[
    "usual", "aloud", "whisper", "slower", "faster", "louder", "quieter", "higher", "lower",
    "cheerful", "calm", "sad", "serious", "sichuanese", "cantonese",
]  # fmt: skip

MAX_CHARACTERS = 120
"""Longer speech is about something, and its words are no request of the voice."""

_SPEAK = r"(?:speak|talk|say (?:it|that)|read|answer|reply)"
_POLITELY = r"\bplease,? |\b(?:can|could|would|will) you (?:please )?|\b(?:want|like) you to |\byou (?:should|must) "
_ASKED = rf"(?:^\W*|[,.;!?]\s*|{_POLITELY})"
"""What is before a verb that asks: "You sound happy" does not."""

_JA = r"(?:話|喋|しゃべ|言|読|答え)"


def _mood(words: str) -> str:
    """A pattern of what asks for a mood: "be happy to help" does not."""
    of_what = r"(?! to\b| if\b| that\b| about\b| with\b| for\b)"
    return (
        rf"{_ASKED}(?:be|sound)\b.{{0,14}}\b(?:{words})\b{of_what}"
        rf"|\b(?:speak|talk|answer)\b.{{0,16}}\b(?:{words})\b{of_what}"
    )


_ENDS = r"(?=[\s,]*(?:please|for me|now|again)?\W*$)"
_SENTENCES: Mapping[Request, str] = {
    "usual": rf"\b{_SPEAK}\b.{{0,20}}\bnormal(?:ly)?\b|\b(?:normal|usual) (?:speed|voice|way)\b"
    rf"|正常(?:地)?(?:说话|语速|的声音)|用普通话|(?:普通|普段|いつも|元)(?:に|の(?:声|話し方|ように)).{{0,6}}(?:{_JA}|戻)",
    "aloud": r"\b(?:stop|don't|do not|no more|without) whisper(?:ing)?\b|(?:别|不要|不用)(?:再)?(?:悄悄|耳语)"
    r"|ささや(?:かない|くのをやめ)",
    "whisper": r"\b(?:can you|could you|please|now) whisper\b|^\W*whisper\b|\bin a whisper\b"
    r"|(?:悄悄|耳语)(?:地)?(?:说|讲|告诉|点)|用耳语|ささや(?:いて|き声)|ひそひそ",
    "slower": rf"\b{_SPEAK}\b.{{0,24}}\b(?:slow|slower|slowly)\b|\b(?:slower|slow down){_ENDS}"
    r"|(?:说|讲|念|读)(?:得|的|话)?(?:再)?慢(?:一)?(?:点|些)|慢(?:一)?点(?:说|讲)|慢慢(?:地)?(?:说|讲)|语速(?:再)?慢"
    r"|(?:说|讲)(?:得|的|话)?(?:太|这么|那么)快|\b(?:speaking|talking|going) (?:too|so) fast\b"
    rf"|ゆっくり(?:と|め)?(?:に)?(?:{_JA}|お願い|して|$)|(?:速|早)すぎ(?:ます|る|て)",
    "faster": rf"\b{_SPEAK}\b.{{0,24}}\b(?:fast|faster|quickly|quicker)\b|\b(?:faster|speed up){_ENDS}"
    r"|(?:说|讲|念|读)(?:得|的|话)?(?:再)?快(?:一)?(?:点|些)|快(?:一)?点(?:说|讲)|语速(?:再)?快"
    rf"|(?:もっと|もう少し|少し|ちょっと)(?:速く|早く|はやく)|(?:速く|早く|はやく){_JA}|早口で"
    r"|(?:说|讲)(?:得|的|话)?(?:太|这么|那么)慢|\b(?:speaking|talking|going) (?:too|so) slow(?:ly)?\b",
    "louder": rf"\b{_SPEAK}\b.{{0,24}}\b(?:loud|louder|loudly|up)\b\W*$|\blouder{_ENDS}|\b(?:raise|turn up) your v\w+"
    r"|大声(?:一)?(?:点|些)|大点声|(?:说|讲)(?:得)?大声|声音(?:再)?(?:大|高|响)(?:一)?(?:点|些)"
    r"|声音太小|(?:听不见|听不清)你|\bcan(?:'t|not) hear you\b|声が(?:小さすぎ|聞こえ(?:ない|ません))"
    rf"|声を(?:もっと|もう少し|少し)?大きく|(?:大きな|大きい)声で|大きく{_JA}",
    "quieter": rf"\b{_SPEAK}\b.{{0,24}}\b(?:quiet|quieter|softer|more quietly|quietly|softly)\b|\bquieter{_ENDS}"
    r"|\blower your voice\b|\bkeep your voice down\b"
    r"|(?:小声|轻声)(?:地)?(?:说|讲|一?点|一?些)|小点声|(?:声音|说话)(?:再)?(?:轻|小|低)(?:一)?(?:点|些)"
    r"|声音太大|(?:太|这么|那么)大声|\b(?:speaking|talking) (?:too|so) loud(?:ly)?\b|声が大きすぎ"
    rf"|声を(?:もっと|もう少し|少し)?(?:小さく|落として)|(?:小さな|小さい|小)声で|(?:静かに|そっと){_JA}",
    "higher": rf"\b{_SPEAK}\b.{{0,24}}\bhigher\b|\bhigher (?:voice|pitch)\b|\braise (?:your|the) pitch\b"
    r"|(?:音调|嗓音|声调)(?:再)?高(?:一)?(?:点|些)|声音(?:再)?尖(?:一)?点"
    r"|声を(?:もっと|もう少し|少し)?高く|高い声で|高めの声",
    "lower": rf"\b{_SPEAK}\b.{{0,24}}\b(?:deeper|lower)\b|\b(?:deeper|lower|deep|low) (?:voice|pitch)\b"
    r"|\blower (?:your|the) pitch\b"
    r"|(?:音调|嗓音|声调)(?:再)?低(?:一)?(?:点|些)|声音(?:再)?(?:粗|低沉)(?:一)?点"
    r"|声を(?:もっと|もう少し|少し)?低く|低い声で|低めの声",
    "cheerful": _mood("cheerful|cheerier|cheerfully|happier|happy|upbeat|lively|excited")
    + r"|\bmore cheerful(?:ly)?\b|(?:开心|欢快|活泼|高兴)(?:一)?(?:点|些)"
    rf"|(?:明るく|元気に|楽しそうに)(?:{_JA}|して|お願い)",
    "calm": _mood("calm|calmer|calmly|gentle|gentler|gently|soothing|warmer") + r"|\bmore gently\b"
    r"|(?:温柔|平静|冷静)(?:一)?(?:点|些)(?:说|讲|地)?|温柔地(?:说|讲)"
    rf"|(?:優しく|やさしく|落ち着いて|穏やかに)(?:{_JA}|して|お願い)",
    "sad": _mood("sad|sadder|sadly|mournful") + r"|(?:悲伤|难过|伤感)(?:一)?(?:点|些)(?:地)?(?:说|讲)"
    rf"|悲しそうに{_JA}",
    "serious": _mood("serious|more seriously|formal|formally") + r"|(?:严肃|正经)(?:一)?(?:点|些)"
    rf"|(?:真剣|真面目)に{_JA}",
    "sichuanese": r"(?:用|说|讲)四川话|\b(?:in|speak) sichuan(?:ese)?\b|四川(?:話|語)で",
    "cantonese": r"(?:用|说|讲)(?:粤语|广东话)|\b(?:in|speak) cantonese\b|広東語で",
}  # fmt: skip
"""Regular expressions of what asks for each."""

_PATTERNS = {request: re.compile(pattern, re.IGNORECASE) for request, pattern in _SENTENCES.items()}

_ALONE: tuple[Request, ...] = ("usual", "aloud")
"""With these nothing else of the sentence counts: "stop whispering, speak up"."""

_OPPOSITES: Mapping[Request, Request] = {
    "slower": "faster", "faster": "slower", "louder": "quieter", "quieter": "louder", "higher": "lower", "lower": "higher",
}  # fmt: skip
_TOO_MUCH = re.compile(
    rf"\b(?:don't|do not|stop|not)\b.{{0,12}}\b{_SPEAK}\b|\b{_SPEAK}\b.{{0,8}}\btoo\b", re.IGNORECASE
)
"""Asks for the opposite of what is named: "don't speak so fast"."""

_SENTENCE_END = re.compile(r"[.!?。！？；;\n]+")
_CONDITIONAL = re.compile(
    r"\b(?:if|when|whenever|unless|not|never|don't|avoid|user|users|caller|they|he|she)\b|如果|当|若|要是|不|别|用户|对方"
    r"|もし|とき|場合|なら|ない|ユーザ",
    re.IGNORECASE,
)


def asked_of_voice(text: str) -> tuple[Request, ...]:
    """What of the voice a sentence asks for, in no order; nothing, mostly."""
    if len(text) > MAX_CHARACTERS:
        return ()
    found = tuple(name for name, pattern in _PATTERNS.items() if pattern.search(text))
    if found and _TOO_MUCH.search(text):
        found = tuple(_OPPOSITES[name] for name in found if name in _OPPOSITES)
    return next(((name,) for name in _ALONE if name in found), found)


@cached(LRUCache[bytes, tuple[Request, ...]](256), key=text_digest, lock=Lock())
def told_of_voice(instructions: str) -> tuple[Request, ...]:
    """What a client's instructions say of the voice in so many words ("Talk quickly."), whatever is said or done.

    Sentences with a condition or a negation say it of a case, or of another: they are the language model's to read.
    """
    sentences = (sentence for sentence in _SENTENCE_END.split(instructions) if not _CONDITIONAL.search(sentence))
    asked = (request for sentence in sentences for request in asked_of_voice(sentence))
    return tuple(dict.fromkeys(asked))
