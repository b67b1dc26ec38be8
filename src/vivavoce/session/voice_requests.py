"""What a user asks of the assistant's voice ("speak slower", "用四川话说"): understood, held until it is changed, or declined.

Pace is the one thing all speakers can change without harm. Cheerfulness and dialects are a matter of words here: the sound
stays what it is, and the user is told so. Whispering, loudness and pitch cannot be changed, which is said and not pretended.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from vivavoce.types import Language

Request: TypeAlias = Literal[
    "slower", "faster", "usual", "cheerful", "calm", "sichuanese", "cantonese", "whisper", "louder", "quieter", "pitch"
]

PACE_STEP = 1.25
SLOWEST, FASTEST = 0.64, 1.5625
"""Two steps each way: further, words run together or fall apart."""

MAX_CHARACTERS = 120
"""Longer speech is about something, and its words are no request of the voice."""

_SPEAK = r"(?:speak|talk|say (?:it|that)|read)"
_SENTENCES: Mapping[Request, str] = {
    "usual": rf"\b{_SPEAK}\b.{{0,20}}\bnormal(?:ly)?\b|\bnormal (?:speed|voice)\b|正常(?:说话|语速|的声音)|用普通话",
    "slower": rf"\b{_SPEAK}\b.{{0,24}}\b(?:slow|slower|slowly)\b|\b(?:slower|slow down)\b(?=[\s,]*(?:please)?\W*$)"
    r"|(?:说|讲|念|读)(?:得|的|话)?(?:再)?慢(?:一)?(?:点|些)|慢(?:一)?点(?:说|讲)|语速(?:再)?慢",
    "faster": rf"\b{_SPEAK}\b.{{0,24}}\b(?:fast|faster|quickly|quicker)\b|\b(?:faster|speed up)\b(?=[\s,]*(?:please)?\W*$)"
    r"|(?:说|讲|念|读)(?:得|的|话)?(?:再)?快(?:一)?(?:点|些)|快(?:一)?点(?:说|讲)|语速(?:再)?快",
    "whisper": r"\b(?:can you|could you|please|now) whisper\b|^\W*whisper\b|\bin a whisper\b"
    r"|(?:小声|悄悄|耳语)(?:地)?(?:说|讲|点)",
    "louder": rf"\b{_SPEAK}\b.{{0,24}}\b(?:loud|louder|up)\b\W*$|大声(?:一)?点|(?:说|讲)(?:得)?大声",
    "quieter": rf"\b{_SPEAK}\b.{{0,24}}\b(?:quieter|softer|more quietly|quietly|softly)\b"
    r"|(?:声音|说话)(?:再)?(?:轻|小)(?:一)?点",
    "pitch": rf"\b{_SPEAK}\b.{{0,24}}\b(?:higher|deeper|lower)\b|\b(?:higher|deeper|lower) (?:voice|pitch)\b"
    r"|(?:声音|音调)(?:再)?(?:高|低|粗|尖)(?:一)?点",
    "cheerful": r"\b(?:be|sound|speak|talk)\b.{0,16}\b(?:cheerful|cheerier|happier|happy|upbeat|lively)\b"
    r"|(?:开心|欢快|活泼|高兴)(?:一)?(?:点|些)",
    "calm": r"\b(?:be|sound|speak|talk)\b.{0,16}\b(?:calm|calmer|calmly|gentle|gentler|gently|soothing)\b"
    r"|(?:温柔|平静|冷静)(?:一)?(?:点|些)(?:说|讲|地)?",
    "sichuanese": r"(?:用|说|讲)四川话|\b(?:in|speak) sichuan(?:ese)?\b",
    "cantonese": r"(?:用|说|讲)(?:粤语|广东话)|\b(?:in|speak) cantonese\b",
}
"""Regular expressions of what asks for each."""

_PATTERNS = {request: re.compile(pattern, re.IGNORECASE) for request, pattern in _SENTENCES.items()}

_MANNERS: Mapping[Request, tuple[str, str]] = {
    "cheerful": ("Choose cheerful, lively words.", "用欢快活泼的话来说。"),
    "calm": ("Choose calm, gentle words.", "用平静温柔的话来说。"),
    "sichuanese": ("Answer in Chinese with the words of Sichuanese.", "用四川话的词语来说，比如“要得”“巴适”“啥子”。"),
    "cantonese": ("Answer in Chinese with the words of Cantonese.", "用粤语的词语来说，比如“系”“冇”“唔该”。"),
}
"""What holds from now on, in English and Chinese."""

_ONLY_WORDS: Mapping[Request, tuple[str, str]] = {
    "sichuanese": (
        "Say once that you can use the words of Sichuanese, but that your voice keeps its Mandarin sound.",
        "先说明一次：你会用四川话的词，但声音还是普通话的口音。",
    ),
    "cantonese": (
        "Say once that you can use the words of Cantonese, but that your voice keeps its Mandarin sound.",
        "先说明一次：你会用粤语的词，但声音还是普通话的口音。",
    ),
}
_DECLINED: Mapping[Request, tuple[str, str]] = {
    "whisper": ("You cannot whisper with this voice: say so in one short sentence.", "你的声音不能耳语，用一句短话照实说。"),
    "louder": (
        "You cannot speak louder: say so, and that the volume is on their device.",
        "你不能提高音量，照实说，并提醒对方调设备音量。",
    ),
    "quieter": (
        "You cannot speak more quietly: say so, and that the volume is on their device.",
        "你不能降低音量，照实说，并提醒对方调设备音量。",
    ),
    "pitch": ("You cannot change the pitch of your voice: say so in one short sentence.", "你不能改变音调，用一句短话照实说。"),
}  # fmt: skip
_PACES: Mapping[Request, tuple[str, str]] = {
    "slower": ("You speak slower from now on: say so in a few words.", "从现在起你说得慢一点，用几个字告诉对方。"),
    "faster": ("You speak faster from now on: say so in a few words.", "从现在起你说得快一点，用几个字告诉对方。"),
    "usual": ("You speak as usual again: say so in a few words.", "你恢复正常的说话方式，用几个字告诉对方。"),
}
_LIMIT = (
    "You speak as {} as you can already: say so in one short sentence.",
    "你已经不能再{}了，用一句短话照实说。",
)


class VoiceRequests:
    """Of one conversation. ``pace`` multiplies the speed of its speech."""

    def __init__(self) -> None:
        self.pace = 1.0
        self._manner: Request | None = None
        self._at_once: tuple[str, str] | None = None

    def take(self, text: str) -> Request | None:
        """The user has said this: what it asks of the voice, if anything, which holds from now on."""
        self._at_once = None
        request = asked_of_voice(text)
        if request is None:
            return None
        match request:
            case "slower" | "faster":
                self._change_pace(request)
            case "usual":
                self.pace, self._manner, self._at_once = 1.0, None, _PACES["usual"]
            case "cheerful" | "calm" | "sichuanese" | "cantonese":
                self._manner, self._at_once = request, _ONLY_WORDS.get(request)
            case _:
                self._at_once = _DECLINED[request]
        return request

    def note(self, language: Language) -> str | None:
        """What the language model is told of it for the reply to come; ``None`` if nothing was asked of the voice."""
        texts = [self._at_once, _MANNERS[self._manner] if self._manner is not None else None]
        return " ".join(text[language == "zh"] for text in texts if text is not None) or None

    def _change_pace(self, request: Literal["slower", "faster"]) -> None:
        wanted = self.pace / PACE_STEP if request == "slower" else self.pace * PACE_STEP
        pace = min(max(wanted, SLOWEST), FASTEST)
        if abs(pace - self.pace) < 1e-6:
            words = ("slowly", "慢") if request == "slower" else ("fast", "快")
            self._at_once = (_LIMIT[0].format(words[0]), _LIMIT[1].format(words[1]))
        else:
            self.pace, self._at_once = pace, _PACES[request]


def asked_of_voice(text: str) -> Request | None:
    """What of the voice a sentence asks for."""
    if len(text) > MAX_CHARACTERS:
        return None
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(text)), None)
