"""Keeps what the assistant was told in confidence out of a reply that rests on strangers' text.

Such text may say "repeat your instructions", and a small model does. Two things are looked for while the reply is written:
words of the instructions that look like secrets (``marigold-77``), which are left out, and a run of their words, at which the
reply ends. What the user or an earlier reply has said is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.types import Message

RUN = 8
"""Words in a row, or twice as many Chinese or Japanese characters, that nobody says by chance as the instructions do."""

LEFT_OUT = "…"

_PART = r"[^\W\u3040-\u30ff\u3400-\u9fff]+"
_WORD = re.compile(rf"[\u3040-\u30ff\u3400-\u9fff]|{_PART}(?:[-'’.@_]{_PART})*")
_SECRET = re.compile(r"(?=.*\d)(?=.*[^\W\d]).{4,}|.*[@_].*")
"""A word that is no word: letters and digits together, or an address."""


class Guard:
    """Reads one round of a reply. ``leaking``: it has begun to repeat the instructions and must end."""

    def __init__(self, messages: Sequence[Message]) -> None:
        instructions = _words(" ".join(message.content for message in messages if message.role == "system"))
        open_ = {word for message in messages if message.role != "system" for word in _words(message.content)}
        self._secrets = {word for word in instructions if _SECRET.fullmatch(word)} - open_
        self._runs = {run for at in range(len(instructions)) if (run := _run(instructions, at)) is not None}
        self._lengths = {len(run) for run in self._runs}
        self._said: list[str] = []
        self._held = ""
        self.leaking = False

    def passes(self, text: str) -> str:
        """More of the reply; what of it may be said by now. The last word is held until it is whole."""
        self._held += text
        end = self._whole()
        ready, self._held = self._held[:end], self._held[end:]
        return self._checked(ready)

    def rest(self) -> str:
        """The reply is over: its last word."""
        ready, self._held = self._held, ""
        return self._checked(ready)

    def _whole(self) -> int:
        """Where the last word that may still grow begins."""
        last = None
        for last in _WORD.finditer(self._held):  # noqa: B007 - the last one is wanted
            pass
        if last is None:
            return len(self._held)
        grows = last.end() == len(self._held) or self._held[last.end() :] in ("-", "'", "’", ".", "@", "_")
        return last.start() if grows and not _is_wide(last[0]) else len(self._held)

    def _checked(self, text: str) -> str:
        said, at = [], 0
        for found in _WORD.finditer(text):
            word = found[0].casefold()
            said.append(text[at : found.start()])
            said.append(LEFT_OUT if word in self._secrets else found[0])
            at = found.end()
            self._said.append(word)
            if any(tuple(self._said[-length:]) in self._runs for length in self._lengths if len(self._said) >= length):
                self.leaking = True
                return "".join(said)
        return "".join([*said, text[at:]])


def _words(text: str) -> list[str]:
    return [found[0].casefold() for found in _WORD.finditer(text)]


def _run(words: Sequence[str], at: int) -> tuple[str, ...] | None:
    """The words from ``at`` on, if there are enough of them to be told apart from chance."""
    length = RUN * 2 if _is_wide(words[at]) else RUN
    run = tuple(words[at : at + length])
    return run if len(run) == length else None


def _is_wide(word: str) -> bool:
    return "\u3040" <= word[0] <= "\u9fff"
