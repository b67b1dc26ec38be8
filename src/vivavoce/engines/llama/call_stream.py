"""Calls as they are written under the grammar, read argument by argument, so that they can leave before they are complete.

The grammar (``grammar.py``) fixes how a call is spelled: a function's name and its arguments as a JSON object, in a row. An
argument leaves when its value is whole, because only then is it known not to be a blank. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_OPENING = re.compile(r"\s*([^\n{]+) \{")


@dataclass(frozen=True, slots=True)
class Opened:
    """A call of this function begins."""

    name: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the call that began last."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Closed:
    """The call that began last is complete."""


class CallStream:
    """Reads a reply of calls."""

    def __init__(self) -> None:
        self._text = ""
        self._inside = False
        self._at = 0
        self._start = 0
        self._depth = 0
        self._quoted = self._escaped = False

    def feed(self, text: str) -> Iterator[Opened | Argument | Closed]:
        """Take more of the reply; give what is whole by now."""
        self._text += text
        while True:
            if not self._inside:
                opening = _OPENING.match(self._text)
                if opening is None:
                    return
                yield Opened(opening[1])
                self._inside, self._depth = True, 1
                self._at = self._start = opening.end()
            yield from self._arguments()
            if self._depth:
                return
            self._text = self._text[self._at :]
            self._inside = False

    def _arguments(self) -> Iterator[Argument | Closed]:
        while self._depth and self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if self._quoted:
                self._quoted = self._escaped or char != '"'
                self._escaped = char == "\\" and not self._escaped
            elif char == '"':
                self._quoted = True
            elif char in "{[":
                self._depth += 1
            elif char in "}]":
                self._depth -= 1
                if self._depth == 0:
                    yield from self._argument()
                    yield Closed()
            elif char == "," and self._depth == 1:
                yield from self._argument()

    def _argument(self) -> Iterator[Argument]:
        member = self._text[self._start : self._at - 1].strip()
        self._start = self._at
        if member:
            [(name, value)] = json.loads(f"{{{member}}}").items()
            yield Argument(name, value)


def opening(name: str) -> str:
    """How a call of this function is spelled up to its arguments."""
    return f"{name} "
