"""Calls that a server left in the text of a reply, because it does not know how its model writes them. Pure.

Ollama, LM Studio and llama.cpp's server do so with models that write bare or fenced JSON, vLLM without a tool parser with all
of them. Such text would be spoken, and nothing would be called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from vivavoce.engines.openai.tags import begun_tag

_TAGS = ("<tool_call>", "<tools>", "<function_call>", "[TOOL_CALLS]", "<|python_tag|>")
"""What begins a call anywhere in a reply."""

_NAME_LINE = re.compile(r"<tool_call>\s*function[ \t]*\n[ \t]*([\w-]+)[ \t]*\n\s*(?=\{)")
"""How Step-Audio's models begin a call: its kind, its name, and then its arguments, a line each."""

_OPENINGS = (*_TAGS, "```", "{", "[{")
"""What a reply begins with that may be nothing but calls."""


class WrittenCalls:
    """Reads a reply in which tools of these ``names`` are on offer. Text goes through as soon as it can be no call."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._held = ""
        self._said = False
        self._holding = False

    def feed(self, text: str) -> str:
        """More of the reply; what of it is certainly no call."""
        self._held += text
        if not self._names:
            return self._take(len(self._held))
        if self._holding:
            return ""
        if not self._said:
            start = self._held.lstrip()
            if not start or any(opening.startswith(start) for opening in _OPENINGS):
                return ""
            if start.startswith(_OPENINGS):
                self._holding = True
                return ""
        at = min((found for tag in _TAGS if (found := self._held.find(tag)) >= 0), default=None)
        if at is not None:
            self._holding = True
            return self._take(at)
        return self._take(len(self._held) - max(begun_tag(self._held, tag) for tag in _TAGS))

    def finish(self) -> tuple[str, list[tuple[str, str]]]:
        """What is left: text, or calls (name, arguments as JSON)."""
        held, self._held = self._held, ""
        calls = list(_calls(held, self._names)) if self._holding else []
        return ("" if calls else held, calls)

    def _take(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        self._said = self._said or bool(text.strip())
        return text


def _calls(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """The objects in ``text`` that name a tool, also in a list; or those behind a line that does."""
    decoder, at = json.JSONDecoder(), 0
    for line in _NAME_LINE.finditer(text):
        try:
            arguments, at = decoder.raw_decode(text, line.end())
        except ValueError:
            continue
        if line[1] in names:
            yield line[1], json.dumps(arguments, ensure_ascii=False)
    while (start := min((found for mark in "[{" if (found := text.find(mark, at)) >= 0), default=-1)) >= 0:
        try:
            value, at = decoder.raw_decode(text, start)
        except ValueError:
            at = start + 1
            continue
        for entry in value if isinstance(value, list) else [value]:
            if (call := _call(entry, names)) is not None:
                yield call


def _call(entry: Any, names: Collection[str]) -> tuple[str, str] | None:
    if not isinstance(entry, dict):
        return None
    call = entry["function"] if isinstance(entry.get("function"), dict) else entry
    name, arguments = call.get("name", call.get("function")), call.get("arguments", call.get("parameters", {}))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return None
    if not isinstance(name, str) or name not in names or not isinstance(arguments, dict):
        return None
    return name, json.dumps(arguments, ensure_ascii=False)
