"""What no answer begins with: a note to the model on how to answer, and the person's own words. Pure.

A small model that is told "The person may be tired. Be warm and brief." says so now and then, and one that does not know
what to answer says the question again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.conduct.sentences import BEGINNING_CHARACTERS, BEGINNING_WORDS, keys_of, letters, sentences_in
from vivavoce.pending_request import last_user_text
from vivavoce.types import Message

_TO_BE_SAID = re.compile(r'"[^"]*"|“[^”]*”|「[^」]*」|[:：]\n.*?\n\n', re.DOTALL)
"""What a note quotes is there to be said."""

_SAY_SO = re.compile("そう伝えて")
"""A sentence before this one is to be said, too."""

_WORK_ON_WORDS = re.compile(
    r"\b(?:repeat|translat|interpret|proofread|spell|echo|parrot|dictat|transcri|rephras)"
    r"|重复|复述|跟读|听写|口译|翻译|改写|纠正|繰り返|復唱|通訳|翻訳|訳して|校正",
    re.IGNORECASE,
)
"""Of the instructions or the user: something is to be made of words that may be the same."""

_ASKS_FOR_WORDS = re.compile(
    r"\bread (?:it |this |that )?(?:back|aloud|out)\b|\bafter me\b"
    r"|^\W*(?:(?:please|now|can you|could you|just) )*(?:say|read|write|correct)\b"
    r"|朗读|再说|(?:请|帮我|跟我|跟着我|照着)(?:说|念|读|写)|^\W*(?:说|念|读|写)"
    r"|読み上げ|と言って|後について",
    re.IGNORECASE,
)
"""Of the user: the words are to be said."""

_FIRST_PERSON = re.compile(r"\b(?:i|i'm|my|we|our)\b|[我咱]|私|僕", re.IGNORECASE)
LEAST_LETTERS = 4
"""Of a sentence of somebody about themselves that is an echo; short greetings are returned as they are."""

_PART = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:['’-][^\W_]+)*")


def note_sentences(messages: Sequence[Message]) -> tuple[frozenset[str], frozenset[str]]:
    """How sentences of the notes to the model (``Message.hint``) begin, and the short ones as a whole, in ``letters``; without
    what they quote.
    """
    beginnings, short = set[str](), set[str]()
    for message in messages:
        if message.role != "system" or not message.hint:
            continue
        sentences = sentences_in(_TO_BE_SAID.sub("", message.content))
        for sentence, following in zip(sentences, [*sentences[1:], ""], strict=True):
            if _SAY_SO.search(following):
                continue
            if beginning := _beginning(sentence):
                beginnings.add(beginning)
            elif whole := letters(sentence):
                short.add(whole)
    return frozenset(beginnings), frozenset(short)


def own_words(messages: Sequence[Message]) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of what the user said last, and of the same said to them (我 is 你; in English that was not seen).

    Nothing where they, or the instructions, ask for words to be said again.
    """
    said = last_user_text(messages)
    head = messages[0].content if messages and messages[0].role == "system" else ""
    if _WORK_ON_WORDS.search(f"{head}\n{said}") or _ASKS_FOR_WORDS.search(said):
        return frozenset(), frozenset()
    to_them = re.sub("[我咱]", "你", said)
    told_of_self = (sentence for sentence in sentences_in(said) if _FIRST_PERSON.search(sentence))
    own = keys_of([said]) | {key for sentence in told_of_self if len(key := letters(sentence)) >= LEAST_LETTERS}
    return own, keys_of([to_them]) - own


def _beginning(sentence: str) -> str:
    """The first words of a sentence, by which it is known; nothing for a short one."""
    parts = _PART.findall(sentence)
    enough = BEGINNING_CHARACTERS if parts and "\u3040" <= parts[0][0] <= "\u9fff" else BEGINNING_WORDS
    return letters("".join(parts[:enough])) if len(parts) >= enough else ""
