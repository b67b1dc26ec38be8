"""Backchannels: what a listener says to tell that they listen. They are no turn, and no reason to stop speaking. Pure.

A reply is paused as soon as the user speaks; what they say decides whether it stops for good. Other frameworks decide by the
same three measures: words to ignore (Vapi), the number of words (LiveKit, pipecat), how long somebody speaks (LiveKit, Hume).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby

from vivavoce.protocol.session_config import Interruption
from vivavoce.turns.words import words_of

ANY_LANGUAGE = "*"
"""The list that goes with every language."""

IGNORED_WORDS: Mapping[str, str] = {
    ANY_LANGUAGE: (
        "m, mhm, mmhm, hm, uh, uh huh, uhhuh, uhuh, huh, um, ah, aha, oh, ok, o k, okay, okey, ha, haha, hahaha, "
        "嗯, 嗯哼, 哦, 噢, 喔, 啊, 唔, 呃, 哈, うん, あ, はは, ははは, 음, 응, 하하"
    ),
    "en": (
        "yeah, yea, yep, yup, yes, right, alright, all right, sure, cool, great, good, nice, wow, true, i see, got it, gotcha, "
        "of course, exactly, indeed, really, interesting, go on, makes sense, that makes sense, that's right, that's true, "
        "sounds good, i understand"
    ),
    "zh": (
        "对, 對, 对啊, 對啊, 对呀, 對呀, 对的, 對的, 是, 是的, 是啊, 是呀, 是吧, 好, 好的, 好啊, 好呀, "
        "好吧, 好嘞, 行, 行吧, 可以, 没错, 沒錯, 明白, 明白了, "
        "懂了, 知道, 知道了, 了解, 当然, 當然, 真的, 这样, 这样啊, 原来如此"
    ),
    "ja": (
        "はい, ええ, そう, そうか, そっか, そうです, そうですね, そうですか, そうなんだ, "
        "そうなんですね, そうなんですか, なるほど, "
        "なるほどね, ふうん, ふーん, ふむ, へえ, へー, ほう, ほんと, 本当, "
        "たしかに, 確かに, わかりました, 分かりました, 了解, 了解です, オッケー"
    ),
    "ko": "네, 네네, 네에, 예, 예예, 어, 그래, 그래요, 그렇군요, 그렇구나, 맞아, 맞아요, 알겠어요, 알겠습니다, 아, 오",
    "de": "ja, jaja, jo, genau, stimmt, richtig, klar, na klar, gut, alles klar, verstehe, ach so, achso, aha",
    "fr": "oui, ouais, d'accord, voilà, bien, très bien, je vois, exactement, bien sûr, c'est vrai, ah bon",
    "es": "sí, si, claro, vale, bueno, bien, ajá, ya veo, entiendo, exacto, por supuesto, de acuerdo",
}
"""By language, as the recogniser names it. Nothing here is an answer that could wait, an objection or a wish. Whatever is drawn
out ("okaaay", "へえー") or said several times over is known by its plain form."""

_QUESTION = re.compile(r"[?？؟]|[か吗嗎]\s*[。．.！!]")


def asks_a_question(text: str) -> bool:
    """Whether a question comes to its end in ``text``."""
    return _QUESTION.search(text) is not None


@dataclass(frozen=True, slots=True)
class InterruptionPolicy:
    """Which speech stops a reply for good: not the ``ignored`` words alone, nor fewer than ``min_words``, nor anything
    shorter than ``min_speech_ms``.

    ``ignored`` holds phrases by language, each as its words; a language that has no list goes by all of them, and so do words
    in a script that is not the list's: recognisers take so short a sound for any language.
    """

    ignored: Mapping[str, frozenset[tuple[str, ...]]]
    min_words: int = 0
    min_speech_ms: int = 0

    def interrupts(self, text: str, language: str, speech_ms: int) -> bool:
        """Whether ``text``, said within ``speech_ms`` of speech, is more than a backchannel."""
        words = _plain_words(text)
        if not words or len(words) < self.min_words or speech_ms < self.min_speech_ms:
            return False
        return not _consists_of(self._ignored_in(language, words), words)

    def patched(self, patch: Interruption | None) -> InterruptionPolicy:
        """The policy with what a client, or a configuration, says otherwise."""
        if patch is None:
            return self
        policy = self
        if isinstance(patch.min_words, int):
            policy = replace(policy, min_words=patch.min_words)
        if isinstance(patch.min_speech_ms, int):
            policy = replace(policy, min_speech_ms=patch.min_speech_ms)
        if isinstance(patch.ignore_words, Mapping):
            return replace(policy, ignored={**policy.ignored, **_phrases(patch.ignore_words)})
        if isinstance(patch.ignore_words, tuple):
            return replace(policy, ignored=_phrases({ANY_LANGUAGE: patch.ignore_words}))
        return policy

    def _ignored_in(self, language: str, words: Iterable[str]) -> frozenset[tuple[str, ...]]:
        own = self.ignored.get(_plain(language))
        if own is None or (own and _latin(words) != _latin(chain.from_iterable(own))):
            return frozenset().union(*self.ignored.values())
        return self.ignored.get(ANY_LANGUAGE, frozenset()) | own


def _phrases(words: Mapping[str, Iterable[str]]) -> dict[str, frozenset[tuple[str, ...]]]:
    return {
        _plain(language): frozenset(phrase for text in texts if (phrase := tuple(_plain_words(text))))
        for language, texts in words.items()
    }


def _plain_words(text: str) -> list[str]:
    """The words of ``text``, kana as hiragana without marks of length."""
    text = unicodedata.normalize("NFKC", text.replace("’", "'"))
    return words_of(
        _KATAKANA.sub(lambda match: chr(ord(match.group()) - _KANA_APART), text).translate(_LENGTHENED_KANA)
    )


_KATAKANA = re.compile(r"[\u30a1-\u30f6]")
_KANA_APART = 0x60
_LENGTHENED_KANA = str.maketrans("ぁぃぅぇぉ", "あいうえお", "ー〜~")


def _plain(language: str) -> str:
    """``zh-CN`` is Chinese."""
    return language.partition("-")[0].lower()


def _latin(words: Iterable[str]) -> bool:
    """Whether any of them is written as English is."""
    return any(word.isascii() for word in words)


def _runs(word: str) -> list[tuple[str, int]]:
    """Its letters, and how often each stands there in a row."""
    return [(letter, len(list(run))) for letter, run in groupby(word)]


def _short(words: Iterable[str]) -> tuple[str, ...]:
    """The words with each letter once where it stands several times in a row."""
    return tuple("".join(letter for letter, _ in _runs(word)) for word in words)


def _is_lengthened(word: str, plain: str) -> bool:
    """Whether ``word`` is ``plain``, or that with letters held: "okaaay"."""
    pairs = zip(_runs(word), _runs(plain), strict=True)
    return all(
        letter == plain_letter and count >= plain_count for (letter, count), (plain_letter, plain_count) in pairs
    )


@lru_cache(maxsize=32)
def _by_letters(phrases: frozenset[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[tuple[str, ...]]]:
    """The phrases by what ``_short`` leaves of them."""
    groups: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for phrase in phrases:
        groups.setdefault(_short(phrase), []).append(phrase)
    return groups


def _consists_of(phrases: frozenset[tuple[str, ...]], words: list[str]) -> bool:
    """Whether ``words`` are nothing but phrases, one after the other."""
    groups, short = _by_letters(phrases), _short(words)
    longest = max(map(len, phrases), default=0)
    reached = [True] + [False] * len(words)
    for end in range(1, len(words) + 1):
        reached[end] = any(
            reached[start]
            and any(all(map(_is_lengthened, words[start:end], phrase)) for phrase in groups.get(short[start:end], ()))
            for start in range(max(end - longest, 0), end)
        )
    return reached[-1]


DEFAULT_POLICY = InterruptionPolicy(
    _phrases({language: words.split(", ") for language, words in IGNORED_WORDS.items()}), min_speech_ms=120
)
"""Of a server that is not told otherwise. What is shorter than 120 ms is no word, whatever a recogniser reads into it."""
