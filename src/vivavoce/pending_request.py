"""What a reply is asked to do, as the messages before it tell. Pure.

It is not only what the user said last: instructions given since the last answer ask for something, too, with or without a turn
of the user, and "Yes, please." asks for what the assistant has just offered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.types import Message

MAX_VARIANTS = 6
"""Texts a turn is compared as; of long instructions the last sentences."""

_TAKES_BACK = re.compile(
    r"\b(?:stop|never ?mind|forget (?:it|that|about)|cancel (?:it|that)|leave it|don'?t (?:do|bother)|(?<!not )instead)\b"
    r"|算了|别(?:弄|查|办|说)|不用了|不要了|停下|取消吧|やめ|もういい|結構です|いらない",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")


def request_variants(messages: Sequence[Message]) -> list[str]:
    """What a reply may be asked to do, each way it can be read: the user's last words, alone and behind those before them and
    behind the question they answer ("Shall I book it?" - "Yes, please."); and instructions given since anything was answered.
    """
    user_texts = [message.content for message in messages if message.role == "user" and message.content.strip()][-2:]
    instructions = [
        instruction
        for message in messages[answered_until(messages) :]
        if message.role == "system" and not message.hint
        for instruction in _parts(message)
    ]
    if instructions and not has_unanswered_user_message(messages):
        return instructions[-MAX_VARIANTS:]
    variants = [user_texts[-1]] if user_texts else []
    variants += [" ".join(user_texts)] if len(user_texts) > 1 else []
    variants += [f"{question} {user_texts[-1]}"] if user_texts and (question := question_before(messages)) else []
    return [*variants, *instructions[-MAX_VARIANTS:]]


def answered_until(messages: Sequence[Message]) -> int:
    """How many messages lie behind a reply: all up to the assistant's last words, and the system message at the beginning."""
    head = 1 if messages and messages[0].role == "system" else 0
    answers = (at for at, message in enumerate(messages, 1) if message.role == "assistant" and not message.tool_calls)
    return max(answers, default=head)


def has_unanswered_user_message(messages: Sequence[Message]) -> bool:
    """Whether the user has said something that no words have answered."""
    return any(message.role == "user" for message in messages[answered_until(messages) :])


def takes_back(text: str) -> bool:
    """Whether ``text``, spoken into the silence before an answer, wants none any more."""
    return _TAKES_BACK.search(text) is not None


def last_user_text(messages: Sequence[Message]) -> str:
    """The user's last message, as it is; nothing where there is none."""
    return next((message.content for message in reversed(messages) if message.role == "user"), "")


def question_before(messages: Sequence[Message]) -> str:
    """The question of the assistant's that the user's last words answer, if there is one."""
    turns = [message for message in messages if message.role in ("user", "assistant")]
    last = max((at for at, message in enumerate(turns) if message.role == "user"), default=0)
    before = turns[last - 1].content.strip() if last and turns[last - 1].role == "assistant" else ""
    return _SENTENCE.findall(before)[-1].strip() if before.endswith(("?", "？")) else ""


def sentences_of(text: str) -> list[str]:
    """The sentences of ``text``, without blanks around them."""
    return [sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip()]


def _parts(message: Message) -> list[str]:
    """Its sentences, without headings."""
    parts = (part.strip() for part in _SENTENCE.findall(message.content))
    return [part for part in parts if part and not part.endswith((":", "："))]
