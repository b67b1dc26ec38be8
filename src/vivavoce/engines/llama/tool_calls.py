"""Find tool calls in streamed text: ``<tool_call>`` tags, a fenced code block, or bare JSON.

Qwen2.5's chat template asks for ``<tool_call>`` tags; its Coder models mostly answer with bare JSON or a fenced block
of it. Whatever may still become a call is held back, and released as text as soon as it cannot. A reply without calls
comes out exactly as it went in. What was meant as a call but is none (a tool that is not on offer, JSON that is broken
within its tags) is dropped: it is nothing to be spoken.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from vivavoce.types import TextDelta, ToolCall

_TAG, _END_TAG = "<tool_call>", "</tool_call>"
_START = re.compile(r"[{`<]")
_SPACE = re.compile(r"\s*")
_BLOCKS = ((_TAG, _END_TAG, _SPACE), ("```", "```", re.compile(r"[\w+-]*\s*")))
_OBJECT = re.compile(r'\{\s*("|\}|$)')
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')
_ARGUMENTS = re.compile(r'"(?:arguments|parameters)"\s*:')


class _Call(NamedTuple):
    """What was meant as a call: ``arguments`` is JSON, of whatever kind."""

    name: str
    arguments: str


class _Match(NamedTuple):
    """The calls that stand in the text before ``end``; plain text when ``end`` is where the match began."""

    calls: tuple[_Call, ...]
    end: int


class ToolCallParser:
    """Splits a reply into text and calls of the ``names`` on offer; JSON that is no call is text.

    White space beside calls is dropped. The same call said twice, or said again after it was ``answered``, counts once
    and sets ``repeated``: the smallest models fall into such loops and do not end by themselves. Arguments are JSON, not
    yet known to fit the tool.
    """

    def __init__(self, names: Collection[str], answered: Iterable[ToolCall] = ()) -> None:
        self._names = frozenset(names)
        self._held = ""
        self._after_call = False
        self._seen = {_Call(call.name, _normal(call.arguments)) for call in answered}
        self.repeated = False

    def feed(self, text: str) -> list[TextDelta | ToolCall]:
        """Take more of the reply; give what is certain by now."""
        self._held += text
        return list(self._parse(final=False))

    def finish(self) -> list[TextDelta | ToolCall]:
        """The reply is over: release what was held. The start of a call that was cut off is dropped, not spoken."""
        return list(self._parse(final=True))

    def _parse(self, *, final: bool) -> Iterator[TextDelta | ToolCall]:
        searched = 0
        while True:
            if self._after_call:
                self._held = self._held.lstrip()
            found = _START.search(self._held, searched)
            if found is None:
                yield from self._text(self._held if final else self._held.rstrip())
                return
            start = found.start()
            match = _match(self._held, start, self._names, final=final)
            if match is None:
                yield from self._text(self._held[:start].rstrip())
                return
            searched = start + 1
            if match.end > start:
                rest = self._held[match.end :]
                yield from self._text(self._held[:start].rstrip())
                yield from self._once(match.calls)
                self._held, self._after_call, searched = rest, True, 0

    def _text(self, text: str) -> Iterator[TextDelta]:
        """Release ``text``, which is the start of what is held."""
        if text:
            self._held = self._held[len(text) :]
            self._after_call = False
            yield TextDelta(text)

    def _once(self, calls: tuple[_Call, ...]) -> Iterator[ToolCall]:
        for call in calls:
            if call.name not in self._names:
                continue
            if call in self._seen:
                self.repeated = True
                continue
            self._seen.add(call)
            yield ToolCall(id=new_call_id(), name=call.name, arguments=call.arguments)


def new_call_id() -> str:
    """An id nobody else has."""
    return f"call_{secrets.token_hex(12)}"


def _match(text: str, start: int, names: frozenset[str], *, final: bool) -> _Match | None:
    """What begins at ``start``; ``None`` while more text is needed to know (never when ``final``)."""
    nothing = _Match((), start)
    for opener, closer, gap in _BLOCKS:
        head = text[start : start + len(opener)]
        if head == opener:
            match = _match_objects(text, start, _skip(gap, text, start + len(opener)), closer, names, final=final)
            return _swallowed(text, start, final=final) if opener == _TAG and match == nothing else match
        if opener.startswith(head) and not final:
            return None
    if text[start] != "{":
        return nothing
    return _match_objects(text, start, start, "", names, final=final)


def _match_objects(text: str, start: int, at: int, closer: str, names: frozenset[str], *, final: bool) -> _Match | None:
    """One call (bare JSON) or several up to ``closer``, read from ``at`` on."""
    nothing, undecided = _Match((), start), _Match((), start) if final else None
    calls: list[_Call] = []
    while True:
        if at == len(text) and not calls:
            return undecided
        if not _OBJECT.match(text, at):
            break
        end = _object_end(text, at)
        if end is None:
            named = any(name in names for name in _NAME.findall(text, at))
            cut_off = final and (named or _ARGUMENTS.search(text, at) is not None)
            return _Match(tuple(calls), len(text)) if cut_off else undecided
        call = _call(text[at:end])
        if call is None:
            return nothing
        calls.append(call)
        if not closer:
            return _Match(tuple(calls), end)
        at = _skip(_SPACE, text, end)
    if not calls:
        return nothing
    if text.startswith(closer, at):
        return _Match(tuple(calls), at + len(closer))
    if not final and closer.startswith(text[at:]):
        return None
    return _Match(tuple(calls), at)


def _skip(gap: re.Pattern[str], text: str, at: int) -> int:
    skipped = gap.match(text, at)
    return skipped.end() if skipped else at


def _object_end(text: str, start: int) -> int | None:
    """Where the JSON object that begins at ``start`` ends; ``None`` while it is open."""
    depth, quoted, escaped = 0, False, False
    for at in range(start, len(text)):
        char = text[at]
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return at + 1
    return None


def _swallowed(text: str, start: int, *, final: bool) -> _Match | None:
    """What stands between tags and is no call: nobody is to hear it."""
    end = text.find(_END_TAG, start)
    if end >= 0:
        return _Match((), end + len(_END_TAG))
    return _Match((), len(text)) if final else None


def _call(text: str) -> _Call | None:
    """The call a JSON object describes, if it is meant as one."""
    value = _loads(text)
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("function"), dict):
        value = value["function"]
    named = next((key for key in ("name", "function") if isinstance(value.get(key), str)), None)
    given = next((key for key in ("arguments", "parameters") if key in value), None)
    if named is None or given is None:
        return None
    arguments = value[given]
    if isinstance(arguments, str) and isinstance(inner := _loads(arguments), dict):
        arguments = inner
    return _Call(value[named], json.dumps(arguments, ensure_ascii=False))


def _normal(arguments: str) -> str:
    """JSON in this module's own spelling, so that equal calls compare equal."""
    return json.dumps(_loads(arguments), ensure_ascii=False)


def _loads(text: str) -> Any:
    """The value of a JSON text; ``None`` when it is none."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
