"""Thoughts are dropped from the history, but for one question: "how did you get there?". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.protocol.items import Item
from vivavoce.text.token_estimates import cut_to
from vivavoce.types import Language

_QUESTION = re.compile(
    r"\bhow did you (?:get|come|arrive|reach|know|work|figure|calculate)\b|\bhow do you know\b|\bwhat were you thinking\b"
    r"|\b(?:explain|show)(?: me)? (?:your|the) (?:reasoning|thinking|thoughts|steps|working)\b"
    r"|你(?:刚才)?(?:是)?怎么(?:想|算|得出|知道|推)|(?:说说|讲讲|解释)(?:一下)?你的(?:思路|推理|想法)",
    re.IGNORECASE,
)

_NOTE = {
    "en": "These were your notes for your last answer:\n{}\n\nTell the person in a few short sentences how you got there.",
    "zh": "这是你上一个回答的笔记：\n{}\n\n用几句短话告诉对方你是怎么得出的。",
}

MAX_TOKENS = 200


def note_of_thoughts(items: Sequence[Item], language: Language) -> str | None:
    """For the last of ``items``, a user's: the thoughts of the answer before it, if it asks for them and there are some."""
    if not items:
        return None
    answer = next((item for item in reversed(items[:-1]) if item.role == "assistant" and item.type == "message"), None)
    parts = () if answer is None else answer.parts
    thoughts = " ".join(part.words for part in parts if part.type == "thinking")
    return note_from_thoughts(" ".join(part.words for part in items[-1].parts), thoughts, language)


def note_from_thoughts(question: str, thoughts: str, language: Language) -> str | None:
    """For a user's ``question`` after an answer: the ``thoughts`` of that, if it asks for them and there are some."""
    thoughts = thoughts.strip()
    if not thoughts or not _QUESTION.search(question):
        return None
    return _NOTE["zh" if language == "zh" else "en"].format(cut_to(thoughts, MAX_TOKENS))
