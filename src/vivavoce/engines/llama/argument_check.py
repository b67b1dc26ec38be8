"""Whether an argument can come from what was said. Pure.

Small models fill in what they were not told: a timer of thirty minutes where nobody named a time, a message to "friend". A
number needs a number in the conversation, a name one of its words there. What is longer is somebody's own words, and may be
put in others; a name may be written in another script than it was said in.

The engine asks while it writes, before anything of a call has left, and for every call. The server's own check
(``tools/provenance.py``) is stricter with numbers and names, and sees whole calls, of any model with the aid ``intents``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.text.said_values import nearly_same, time_is_said
from vivavoce.types import Message

RECENT = 8
"""Messages back in which a value may have been said."""

NAME_WORDS = 2
NAME_CHARACTERS = 4
"""How long a name is at most: in words, and in Chinese characters."""

_NUMBER = re.compile(
    r"\d|[零〇一二两三四五六七八九十百千半刻双几整]"
    r"|\ban? (?:\w+ )?(?:second|minute|hour|day|week|month|year|degree|percent|bit|notch|little)"
    r"|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?|hundred|thousand|half|quarter|couple|dozen|few|double|both"
    r"|noon|midnight|max(?:imum)?|min(?:imum)?|full|mute|first|second|third|fourth|fifth)\b",
    re.IGNORECASE,
)
"""Words that a number may come from; a Chinese 一 in 一条 counts, too: better one invention too many than a value lost."""

_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]+")
_EMPTY = frozenset(
    {"a", "an", "the", "my", "your", "his", "her", "our", "their", "some", "any", "to", "of", "in", "on", "at"}
)

MIN_SHARED_PREFIX = 3
"""Letters two words have in common at least to be of a kind."""


class GroundingCheck:
    """What was said lately, to look arguments up in; instructions in the course of the conversation are said, too."""

    def __init__(self, messages: Sequence[Message]) -> None:
        head = messages[:1] if messages and messages[0].role == "system" else ()
        self._instructions = " ".join(message.content for message in head).casefold()
        recent = messages[len(head) :][-RECENT:]
        calls = [call.arguments for message in recent for call in message.tool_calls]
        self._recent_text = " ".join([*(message.content for message in recent), *calls]).casefold()
        self._request_text = " ".join(message.content for message in recent if message.role in ("user", "system"))
        self._words = set(_WORD.findall(self._recent_text))
        self._rules = set(_WORD.findall(self._instructions))

    def holds(self, value: object) -> bool:
        """Whether ``value`` can have been said, as far as it can be told."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return True
        if isinstance(value, str) and not any(char.isdigit() for char in value):
            return self._holds_name(value.casefold())
        if isinstance(value, str) and time_is_said(value, self._recent_text):
            return True
        return _NUMBER.search(self._recent_text) is not None or str(value).casefold() in self._instructions

    def spelling(self, value: str) -> str:
        """``value`` as the user wrote it, if it is there but for its capitals."""
        match = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", self._request_text, re.IGNORECASE) if value else None
        return match[0] if match else value

    def chooses(self, value: object, listed: Sequence[object]) -> bool:
        """Whether somebody meant this one of the ``listed`` values. What is listed first, small models take for a default.

        In another script than the value's nobody can have said it as it is: then only the first is doubted.
        """
        if not isinstance(value, str):
            return True
        words = _WORD.findall(value.replace("_", " ").casefold())
        if any(self._has(word) for word in words) or value.casefold() in self._recent_text:
            return True
        return _WIDE.search(self._recent_text) is not None and value != listed[0]

    def _holds_name(self, name: str) -> bool:
        wide = _WIDE.findall(name)
        if wide:
            script_used = _WIDE.search(self._recent_text) is not None
            together = self._recent_text + self._instructions
            return not script_used or len(wide) > NAME_CHARACTERS or any(char in together for char in wide)
        words = _WORD.findall(name.replace("_", " "))
        content_words = [word for word in words if word not in _EMPTY]
        if (
            not content_words
            or len(words) > NAME_WORDS
            or not any(char.isascii() and char.isalpha() for char in self._recent_text)
        ):
            return True
        return any(self._has(word) for word in content_words)

    def _has(self, word: str) -> bool:
        """The word itself, one of its kind (``eggs`` for ``egg``, ``lighting`` for ``light``), or one spelled otherwise."""
        if word in self._words or word in self._rules:
            return True
        return len(word) > MIN_SHARED_PREFIX and any(
            known.startswith(word[:MIN_SHARED_PREFIX]) or nearly_same(word, known) for known in self._words
        )
