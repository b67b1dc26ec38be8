"""Where JSON stands in written text: it is for programs, and nobody wants to hear it. Pure."""

from __future__ import annotations

import re

OPENING = re.compile(r"\{\s*[\"'{\[]|\[\s*[\"'{]")
"""What JSON begins with, and prose does not; Python's quotes count, too."""


class JsonSpan:
    """Reads JSON character by character, from its first bracket on, to where it is closed; mistakes do not matter."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""
        self._escaped = False

    def closed_by(self, char: str) -> bool:
        """Take the next character; whether it is the last."""
        if self._escaped:
            self._escaped = False
        elif self._quote:
            self._escaped = char == "\\"
            self._quote = "" if char == self._quote else self._quote
        elif char == '"':
            self._quote = char
        elif char in "{[":
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
        return not self._depth


def without_json(text: str) -> str:
    """``text`` with a blank in place of any JSON; what is not closed goes on to the end."""
    parts: list[str] = []
    at = 0
    while (opening := OPENING.search(text, at)) is not None:
        parts += [text[at : opening.start()], " "]
        span, at = JsonSpan(), opening.start()
        while at < len(text) and not span.closed_by(text[at]):
            at += 1
        at += 1
    return "".join([*parts, text[at:]])
