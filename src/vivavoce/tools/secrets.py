"""What in an assistant's instructions was told in confidence, and how it may be spelled when it is given away. Pure.

Nobody marks secrets, so they are known by their looks, which no common word has (``marigold-77``, an address), and by what
is said about them: the rarer words of a sentence that calls something secret or forbids to say it, or of the one before, if
it only forbids to say "it".
"""

from __future__ import annotations

import base64
import codecs
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TypeAlias

Mark: TypeAlias = tuple[str, int]

_SENTENCES = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")

_NAMED_SECRET = re.compile(
    r"\b(?:secret|confidential|password|passphrase|passcode|code ?words?|pin code|classified|internal only|not public)\b"
    r"|密码|口令|暗号|机密|保密|秘密|绝密|内部(?:消息|资料|信息)|合言葉|パスワード",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(
    r"\b(?:never|not|don['’]t|mustn['’]t|can['’]t)(?: +\w+){0,2}? +"
    r"(?:say|tell|reveal|share|mention|disclose|repeat|give away|give out|talk about|leak|name|publish)\b(?P<object>.*)"
    r"|(?:不要|不能|不得|不可|不许|禁止|切勿|别)[^，。]{0,6}(?:说出|透露|告诉|泄露|提到|提起|公开)(?P<chinese>.*)",
    re.IGNORECASE,
)
_ONLY_IT = re.compile(r"\W*(?:it|this|that|these|those|them)?(?:\W+(?:to|aloud|out|ever)\b.*)?\W*", re.IGNORECASE)
_ONLY_CHINESE_IT = re.compile(r"(?:给?(?:任何人|别人|用户|他人))?(?:它|这个|这些)?[。！\s]*")

_WORD = re.compile(r"[^\W_]+(?:[-'’.@_][^\W_]+)*")
_ADDRESS = re.compile(r".*[@_].*")
_MIXED = re.compile(r"(?=.*\d)(?=.*[^\W\d]).{4,}")
_MEASURE = re.compile(r"\d+[-.]?[a-z]+")
"""``24-hour``, ``5-star``, ``9am``: digits and letters, but anybody's."""

_CHINESE_VALUE = re.compile(r"(?:是|为|叫|：|:)\s*[“\"「『]?([^，。；、,.;“”\"「」『』\s]{2,16})")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

SHORTEST = 4
"""Letters of a word that can be a secret by what is said about it."""

_COMMON_WORDS = """\
about above according account after again against ahead allow allowed almost along also although always among another
answer anybody anyone anything around asked asking assistant away back because become been before begin behind being
believe below best better between both bring business call called caller callers came cannot careful case change chat
city clear close code come company confidential conversation could country customer customers data date days detail
details different disclose discuss does doing done down during each early either else enough even ever every everybody
everyone everything example false feel file find first five follow form found four friend friendly from full general
give given goes going good great group guest guests hand happen have hear hello help here hers high himself hold home
hour hours house however human idea important inform information inside instead instructions internal into just keep
kept keyword kind knew know knows large last late later leak least leave less letter like line list little live long
look loud made make making manager many matter maybe mean meaning mention message might mind minute moment money month
more morning most much must name named need never next nice night nobody none nothing number numbers often once only
open opening order orders other others over page part passcode passphrase password people person persons phrase place
please point policy polite possible present price prices private problem product products prompt public publish question
questions quite rather read reader ready real really reason refuse repeat request reply respond rest reveal right room
rules said same saying says second secret secrets secrecy seen sell send sentence service services several shall share
short should show side simple since some somebody someone something soon sorry speak spoken staff start state still
stop story strictly such support sure system take talk team tell telling text than thank that their them then there
these they thing things think this those though three through time times today together told tomorrow tone took town
true trust turn twice under unless until upon used user users using very visit visitor visitors voice wait want water
ways week well went were what whatever when whenever where whether which while whoever whole whom whose wish with
within without woman word words work working world would write written wrong year years yesterday your yours yourself
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""What a sentence about a secret is made of; saying these gives nothing away."""

_LOOKALIKE = str.maketrans("01345789i", "oleastbgl")


def skeleton(text: str) -> str:
    """The letters and digits of ``text``, those alike made one: what spelling out, dashes and leetspeak leave the same."""
    return "".join(char for char, _ in skeleton_at(text))


def skeleton_at(text: str) -> Iterator[Mark]:
    """``skeleton`` character by character, with the place in ``text`` each comes from."""
    for at, char in enumerate(text):
        for part in unicodedata.normalize("NFKD", char).casefold().translate(_LOOKALIKE):
            if part.isalnum():
                yield part, at


def secrets_in(instructions: str, public: str) -> frozenset[str]:
    """Words of ``instructions`` that must not be said; those in ``public`` may be."""
    candidates = {word for word in _words(instructions) if _looks_secret(word)}
    before = ""
    for sentence in filter(str.strip, _SENTENCES.split(instructions)):
        candidates |= _confided(sentence, before)
        before = sentence
    open_, public_text = set(map(skeleton, _with_parts(_words(public)))), skeleton(public)
    return frozenset(
        word
        for word in candidates
        if not (skeleton(word) in open_ or (_HAN.search(word) and skeleton(word) in public_text))
    )


def spellings(secret: str) -> frozenset[str]:
    """Skeletons of ``secret`` as it is, backwards, and in the codes a model may be told to hide it in."""
    plain = secret.casefold()
    raw = plain.encode()
    end = len(raw) // 3 * 3  # what follows a whole group does not change how it is encoded
    codes = [plain, plain[::-1], codecs.encode(plain, "rot13"), raw.hex()]
    if end >= 2 * 3:
        codes += [base64.b64encode(form.encode()[:end]).decode() for form in {plain, secret, plain.capitalize()}]
    return frozenset(skeleton(code) for code in codes)


def _confided(sentence: str, before: str) -> set[str]:
    """What a sentence says that is confidential, or makes so of the one ``before``."""
    forbidden = _FORBIDDEN.search(sentence)
    if forbidden is None:
        return _values(sentence) if _NAMED_SECRET.search(sentence) else set()
    object_, chinese = forbidden["object"], forbidden["chinese"]
    only_it = _ONLY_IT.fullmatch(object_) if object_ is not None else _ONLY_CHINESE_IT.fullmatch(chinese)
    if only_it is not None:
        return _values(sentence[: forbidden.start()]) or _values(before)
    return _values(sentence) if _NAMED_SECRET.search(sentence) else _values(object_ or chinese)


def _values(sentence: str) -> set[str]:
    """The words of a sentence that say more than that there is a secret."""
    words = [word for word in _with_parts(_words(sentence)) if not _MEASURE.fullmatch(word)]
    rare = {word for word in words if len(word) >= SHORTEST and not _HAN.search(word) and word not in _COMMON}
    return rare | {value.casefold() for value in _CHINESE_VALUE.findall(sentence) if _HAN.search(value)}


def _looks_secret(word: str) -> bool:
    if _HAN.search(word) or _MEASURE.fullmatch(word):
        return False
    return _MIXED.fullmatch(word) is not None or _ADDRESS.fullmatch(word) is not None


def _with_parts(words: Sequence[str]) -> list[str]:
    """``marigold-77`` is ``marigold``, too."""
    return [*words, *(part for word in words for part in re.split(r"[\W\d_]+", word) if part and part != word)]


def _words(text: str) -> list[str]:
    return [match[0].casefold() for match in _WORD.finditer(text)]
