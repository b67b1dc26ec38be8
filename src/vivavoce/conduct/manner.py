"""How one answer is told: what of the instructions' rules, the asked length and the words before holds for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vivavoce.conduct.lengths import Length, asked_length, wants_more
from vivavoce.conduct.parroting import own_words
from vivavoce.conduct.sentences import keys_of
from vivavoce.text.instruction_rules import InstructionRules, names_language, rules_of
from vivavoce.types import Language, Message

_AGAIN = re.compile(
    r"\b(?:again|once more|repeat|remind me|say that|come again|pardon|what did you say)\b|再(?:说|讲|问|念|来)一|重复|刚才说"
    r"|もう一度|繰り返|今なんて",
    re.IGNORECASE,
)
_SONG = re.compile(r"\b(?:songs?|poems?|rhymes?|lyrics|sing|verses?|chant)\b|歌|诗|詩|唱|顺口溜", re.IGNORECASE)
"""What has refrains."""

_GO_ON = re.compile(
    r"^\W*(?:(?:yes|yeah|sure|ok(?:ay)?|please|go on|continue|and then|keep going|do"
    r"|好|好的|嗯|接着|继续|请|讲|往下|说|はい|ええ"
    r"|続け\w*|お願い\w*)\W*)+(?:please|吧|下去|て|ください)?\W*$",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

WORDS_PER_TOKEN, CHARACTERS_PER_TOKEN = 0.68, 1.35
"""What a reply of so many tokens holds at least."""


@dataclass(frozen=True, slots=True)
class Manner:
    """``rules`` hold but for the most there may be where more is asked for. ``earlier`` are keys of sentences not to be said
    again, ``echoed`` those of the user's, which may be, but no answer begins with one of the ``parroted``, or is one of the
    ``reflected`` and nothing else; ``may_repeat``: so may all, as in a song. ``length`` is the one asked for, if any.
    ``follows``: the answer is in ``language``, the user's."""

    rules: InstructionRules
    language: Language
    earlier: frozenset[str] = frozenset()
    length: Length | None = None
    follows: bool = True
    echoed: frozenset[str] = frozenset()
    may_repeat: bool = False
    parroted: frozenset[str] = frozenset()
    reflected: frozenset[str] = frozenset()


def manner_of(messages: Sequence[Message], language: Language, *, overridden: bool = False) -> Manner:
    """The manner of the answer to ``messages``; nothing is asked of one whose instructions are ``overridden``."""
    if overridden:
        return Manner(InstructionRules(), language, follows=False, may_repeat=True)
    head = messages[0].content if messages and messages[0].role == "system" else ""
    rules = rules_of(head)
    said = [message.content for message in messages if message.role == "user" and message.content.strip()]
    last = said[-1] if said else ""
    length = _length_wanted(messages, said, language)
    if length is not None or wants_more(last):
        rules = replace(rules, most_sentences=0, most_words=0)
    if rules.closing and bool(_HAN.search(rules.closing)) != (language in ("zh", "ja")):
        rules = replace(rules, closing="")  # of another language than the answer
    if rules.opening and bool(_HAN.search(rules.opening)) != (language in ("zh", "ja")):
        rules = replace(rules, opening="")
    parroted, reflected = own_words(messages)
    repeats = _AGAIN.search(last) is not None or last in said[:-1]
    spoken = (message.content for message in messages if message.role == "assistant")
    return Manner(
        rules,
        language,
        keys_of(spoken),
        length,
        not names_language(head),
        keys_of([last], least=False),
        repeats or _SONG.search(last) is not None,
        frozenset() if repeats else parroted,
        frozenset() if repeats else reflected,
    )


def _length_wanted(messages: Sequence[Message], said: Sequence[str], language: Language) -> Length | None:
    """The length asked for now, or what is left of one whose first part was told ("Yes, go on.")."""
    if not said:
        return None
    if (length := asked_length(said[-1], language)) is not None:
        return length
    if len(said) < 2 or not _GO_ON.match(said[-1]):
        return None
    told: list[str] = []
    for message in reversed(messages[:-1]):
        if message.role == "assistant":
            told.append(message.content)
        elif message.role == "user" and (whole := asked_length(message.content, language)) is not None:
            left = whole.units - sum(map(whole.of, told))
            return replace(whole, units=left) if left > whole.units // 10 else None
        elif message.role == "user" and not _GO_ON.match(message.content):
            return None
    return None


def most_units(length: Length, max_tokens: int) -> int:
    """How much of ``length`` one reply of ``max_tokens`` can hold."""
    return int(max_tokens * (CHARACTERS_PER_TOKEN if length.by_characters else WORDS_PER_TOKEN))
