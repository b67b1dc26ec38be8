"""Backchannels: what a listener says to tell that they listen. They are no turn, and no reason to stop speaking. Pure.

A reply is paused as soon as the user speaks; what they say decides whether it stops for good. Other frameworks decide by the
same three measures: words to ignore (Vapi), the number of words (LiveKit, pipecat), how long somebody speaks (LiveKit, Hume).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vivavoce.protocol.session_config import Interruption
from vivavoce.turns.words import words_of

ANY_LANGUAGE = "*"
"""The list that goes with every language."""

IGNORED_WORDS: Mapping[str, str] = {
    ANY_LANGUAGE: (
        "m, mm, mmm, mhm, mmhm, mmhmm, hm, hmm, hmmm, uh, uh huh, uhhuh, uhuh, huh, um, ah, aha, ahh, oh, ooh, ok, "
        "okay, okey, 嗯, 嗯哼, 哦, 噢, 喔, 啊, 唔, うん, ああ, 음, 응"
    ),
    "en": (
        "yeah, yea, yep, yup, yes, right, alright, all right, sure, cool, great, good, nice, wow, true, i see, got it, gotcha, "
        "of course, exactly, indeed, really, interesting, go on, makes sense, that makes sense, that's right, that's true, "
        "sounds good, i understand"
    ),
    "zh": (
        "对, 對, 对啊, 對啊, 对对, 是, 是的, 是啊, 是吧, 好, 好的, 好啊, 好吧, 行, 行吧, 可以, 没错, 沒錯, 明白, 明白了, "
        "懂了, 知道, 知道了, 了解, 当然, 當然, 真的, 这样啊, 原来如此, 嗯嗯"
    ),
    "ja": (
        "はい, ええ, そう, そうか, そうです, そうですね, そうですか, なるほど, なるほどね, ふうん, ふーん, へえ, へー, ほう, "
        "ほんと, 本当, たしかに, 確かに, わかりました, 分かりました, 了解, 了解です, オッケー"
    ),
    "ko": "네, 네네, 예, 예예, 어, 그래, 그래요, 그렇군요, 그렇구나, 맞아, 맞아요, 알겠어요, 알겠습니다, 아, 오",
    "de": "ja, jaja, jo, genau, stimmt, richtig, klar, na klar, gut, alles klar, verstehe, ach so, achso, aha",
    "fr": "oui, ouais, d'accord, voilà, bien, très bien, je vois, exactement, bien sûr, c'est vrai, ah bon",
    "es": "sí, si, claro, vale, bueno, bien, ajá, ya veo, entiendo, exacto, por supuesto, de acuerdo",
}
"""By language, as the recogniser names it. Nothing here is an answer that could wait, an objection or a wish."""

_QUESTION = re.compile(r"[?？؟]|[か吗嗎]\s*[。．.！!]")


def asks_a_question(text: str) -> bool:
    """Whether a question comes to its end in ``text``."""
    return _QUESTION.search(text) is not None


@dataclass(frozen=True, slots=True)
class InterruptionPolicy:
    """Which speech stops a reply for good: not the ``ignored`` words alone, nor fewer than ``min_words``, nor anything
    shorter than ``min_speech_ms``.

    ``ignored`` holds phrases by language, each as its words; a language that has no list goes by all of them.
    """

    ignored: Mapping[str, frozenset[tuple[str, ...]]]
    min_words: int = 0
    min_speech_ms: int = 0

    def interrupts(self, text: str, language: str, speech_ms: int) -> bool:
        """Whether ``text``, said within ``speech_ms`` of speech, is more than a backchannel."""
        words = _plain_words(text)
        if not words or len(words) < self.min_words or speech_ms < self.min_speech_ms:
            return False
        return not _consists_of(self._ignored_in(language), words)

    def patched(self, given: Interruption | None) -> InterruptionPolicy:
        """The policy with what a client, or a configuration, says otherwise."""
        if given is None:
            return self
        policy = self
        if isinstance(given.min_words, int):
            policy = replace(policy, min_words=given.min_words)
        if isinstance(given.min_speech_ms, int):
            policy = replace(policy, min_speech_ms=given.min_speech_ms)
        if isinstance(given.ignore_words, Mapping):
            return replace(policy, ignored={**policy.ignored, **_phrases(given.ignore_words)})
        if isinstance(given.ignore_words, tuple):
            return replace(policy, ignored=_phrases({ANY_LANGUAGE: given.ignore_words}))
        return policy

    def _ignored_in(self, language: str) -> frozenset[tuple[str, ...]]:
        own = self.ignored.get(_plain(language))
        everywhere = self.ignored.get(ANY_LANGUAGE, frozenset())
        return everywhere | own if own is not None else frozenset().union(*self.ignored.values())


def _phrases(words: Mapping[str, Iterable[str]]) -> dict[str, frozenset[tuple[str, ...]]]:
    return {
        _plain(language): frozenset(phrase for text in texts if (phrase := tuple(_plain_words(text))))
        for language, texts in words.items()
    }


def _plain_words(text: str) -> list[str]:
    return words_of(text.replace("’", "'"))


def _plain(language: str) -> str:
    """``zh-CN`` is Chinese."""
    return language.partition("-")[0].lower()


def _consists_of(phrases: frozenset[tuple[str, ...]], words: list[str]) -> bool:
    """Whether ``words`` are nothing but phrases, one after the other."""
    longest = max(map(len, phrases), default=0)
    reached = [True] + [False] * len(words)
    for end in range(1, len(words) + 1):
        reached[end] = any(
            reached[end - size] and tuple(words[end - size : end]) in phrases
            for size in range(1, min(longest, end) + 1)
        )
    return reached[-1]


DEFAULT_POLICY = InterruptionPolicy(
    _phrases({language: words.split(", ") for language, words in IGNORED_WORDS.items()}), min_speech_ms=120
)
"""Of a server that is not told otherwise. What is shorter than 120 ms is no word, whatever a recogniser reads into it."""
