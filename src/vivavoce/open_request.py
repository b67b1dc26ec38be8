"""What a reply is asked to do, as the messages before it tell. Pure.

It is not only what the user said last: instructions given since the last answer ask for something, too, with or without a turn
of the user, and "Yes, please." asks for what the assistant has just offered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.types import Message

MOST_ASKED = 6
"""Texts a turn is compared as; of long instructions the last sentences."""

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")


def asked(messages: Sequence[Message]) -> list[str]:
    """What a reply may be asked to do, each way it can be read: the user's last words, alone and behind those before them and
    behind the question they answer ("Shall I book it?" - "Yes, please."); and instructions given since anything was answered.
    """
    said = [message.content for message in messages if message.role == "user" and message.content.strip()][-2:]
    orders = [
        order
        for message in messages[answered_until(messages) :]
        if message.role == "system"
        for order in _parts(message)
    ]
    if orders and not user_waits(messages):
        return orders[-MOST_ASKED:]
    readings = [said[-1]] if said else []
    readings += [" ".join(said)] if len(said) > 1 else []
    readings += [f"{question} {said[-1]}"] if said and (question := question_before(messages)) else []
    return [*readings, *orders[-MOST_ASKED:]]


def answered_until(messages: Sequence[Message]) -> int:
    """How many messages lie behind a reply: all up to the assistant's last words, and the system message at the beginning."""
    head = 1 if messages and messages[0].role == "system" else 0
    answers = (at for at, message in enumerate(messages, 1) if message.role == "assistant" and not message.tool_calls)
    return max(answers, default=head)


def user_waits(messages: Sequence[Message]) -> bool:
    """Whether the user has said something that no words have answered."""
    return any(message.role == "user" for message in messages[answered_until(messages) :])


def question_before(messages: Sequence[Message]) -> str:
    """The question of the assistant's that the user's last words answer, if there is one."""
    heard = [message for message in messages if message.role in ("user", "assistant")]
    last = max((at for at, message in enumerate(heard) if message.role == "user"), default=0)
    before = heard[last - 1].content.strip() if last and heard[last - 1].role == "assistant" else ""
    return _SENTENCE.findall(before)[-1].strip() if before.endswith(("?", "？")) else ""


def _parts(message: Message) -> list[str]:
    """Its sentences, without headings."""
    parts = (part.strip() for part in _SENTENCE.findall(message.content))
    return [part for part in parts if part and not part.endswith((":", "："))]
