"""Which of the calls a model wrote are given on: those the choice allows, with arguments that fit. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from jsonschema import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from vivavoce.engines.llama.tool_calls import ToolCallParser
from vivavoce.types import GenerationOptions, Message, NamedTool, TextDelta, Tool, ToolCall, ToolChoice


class ToolReply:
    """Reads one reply. ``over``: nothing more of it matters. ``again``: with what choice to ask once more, if at all.

    The model is asked again where its arguments do not fit (that tool, under its grammar), and in words where it has
    nothing to say but a call whose result it was just given, or one with a blank where the user should have said something:
    nobody asked for that.
    """

    def __init__(self, messages: Sequence[Message], options: GenerationOptions) -> None:
        self.called = self.over = False
        self.again: ToolChoice | None = None
        self._options = options
        self._spoke = False
        self._required = {tool.name: tuple(tool.parameters.get("required", ())) for tool in options.tools}
        self._validators = {tool.name: _validator(tool) for tool in options.tools}
        answered = calls_answered(messages) if options.tool_choice == "auto" else ()
        self._parser = ToolCallParser(self._validators, answered)

    def feed(self, text: str) -> Iterator[TextDelta | ToolCall]:
        """Take more of the reply; give what is certain by now."""
        if self._options.tools:
            yield from self._checked(self._parser.feed(text))
        elif text:
            yield TextDelta(text)

    def finish(self) -> Iterator[TextDelta | ToolCall]:
        """The reply is complete, or was left when it was ``over``."""
        if not self.over:
            yield from self._checked(self._parser.finish())

    def _checked(self, events: Sequence[TextDelta | ToolCall]) -> Iterator[TextDelta | ToolCall]:
        for event in events:
            if isinstance(event, TextDelta):
                self._spoke = self._spoke or bool(event.text.strip())
                yield event
            elif self._is_allowed(event):
                event, needed = without_blanks(event, self._required.get(event.name, ()))
                if needed and self._options.tool_choice == "auto":
                    self.over = True
                    self.again = None if self.called or self._spoke else "none"
                    return
                if not self._fits(event):
                    self.over, self.again = True, NamedTool(event.name)
                    return
                self.called = True
                yield event
                if not self._options.parallel_tool_calls:
                    self.over = True
                    return
        if self._parser.repeated:
            self.over = True
            self.again = None if self.called or self._spoke else "none"

    def _is_allowed(self, call: ToolCall) -> bool:
        choice = self._options.tool_choice
        return choice != "none" and (not isinstance(choice, NamedTool) or call.name == choice.name)

    def _fits(self, call: ToolCall) -> bool:
        arguments = json.loads(call.arguments)
        return isinstance(arguments, dict) and self._validators[call.name].is_valid(arguments)


_BLANK = re.compile(
    r"(?:your|my|user|some|example|placeholder|insert|enter)[ _-]\w+|<.*>|\[.*\]|\{.*\}"
    r"|string|unknown|n/a|null|none|tbd|\?+|\.{3}|…",
    re.IGNORECASE,
)
"""What small models fill in for what they were not told: ``your_city``, ``<location>``, ``unknown``."""


def without_blanks(call: ToolCall, required: Collection[str]) -> tuple[ToolCall, bool]:
    """The call without optional arguments that are blank form fields, and whether one it needs is blank, too."""
    arguments = json.loads(call.arguments)
    if not isinstance(arguments, dict):
        return call, False
    blank = {name for name, value in arguments.items() if isinstance(value, str) and _BLANK.fullmatch(value.strip())}
    if blank.intersection(required):
        return call, True
    if not blank:
        return call, False
    kept = {name: value for name, value in arguments.items() if name not in blank}
    return replace(call, arguments=json.dumps(kept, ensure_ascii=False)), False


def calls_answered(messages: Sequence[Message]) -> tuple[ToolCall, ...]:
    """The calls since the user last spoke."""
    calls: list[ToolCall] = []
    for message in reversed(messages):
        if message.role == "user":
            break
        calls += message.tool_calls
    return tuple(calls)


def _validator(tool: Tool) -> Validator:
    """Raises ``ValueError`` for parameters that are no JSON Schema."""
    schema = {"type": "object", **tool.parameters}
    kind = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"the parameters of tool '{tool.name}' are no JSON Schema: {error.message}") from error
    return kind(schema)
