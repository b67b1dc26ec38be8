"""Which of the calls a model wrote are given on: those the choice allows, with arguments that fit. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from jsonschema import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from vivavoce.engines.llama.call_stream import Argument, CallStream, Closed, Opened, begins, opening
from vivavoce.engines.llama.grounding import Ground
from vivavoce.engines.llama.tool_calls import ToolCallParser, new_call_id
from vivavoce.errors import EngineError
from vivavoce.types import GenerationOptions, Message, NamedTool, TextDelta, Tool, ToolCall, ToolCallDelta, ToolChoice


class ToolReply:
    """Reads one reply. ``over``: nothing more of it matters. ``again``: with what choice to ask once more, if at all.

    Calls written under the grammar leave argument by argument, as soon as all that the tool needs is there; others, that
    slipped into words, when they are whole. The model is asked again where the arguments of those do not fit (that tool,
    under its grammar), and in words where it has nothing to say but a call whose result it was just given, or one with a
    blank, or an invention, where the user should have said something: nobody asked for that.
    """

    def __init__(self, messages: Sequence[Message], options: GenerationOptions) -> None:
        self.called = self.over = False
        self.again: ToolChoice | None = None
        self._options = options
        self._spoke = False
        self._tools = {tool.name: _Checked(tool) for tool in options.tools if tool.name not in options.withheld}
        answered = calls_answered(messages) if options.tool_choice == "auto" else ()
        self._leads = None if options.schema is None else tuple(map(opening, self._tools))
        self._parser = ToolCallParser(self._tools, answered)
        self._answered = {call.name for call in answered}
        self._ground = Ground(messages)
        self._held = ""
        self._calls: CallStream | None = None
        self._in_words = False
        self._open: _OpenCall | None = None
        self._written: set[tuple[str, str]] = set()

    def feed(self, text: str) -> Iterator[TextDelta | ToolCallDelta | ToolCall]:
        """Take more of the reply; give what is certain by now."""
        if not self._options.tools:
            if text:
                yield TextDelta(text)
            return
        if self._calls is None and not self._in_words:
            self._held += text
            calls = begins(self._held) if self._leads is None else begins(self._held, self._leads)
            if calls is None:
                return
            # An answered function may be called again in vain; that shows only when the call is whole.
            self._in_words = not calls or (bool(self._answered) and self._leads is None)
            self._calls = None if self._in_words else CallStream()
            text, self._held = self._held, ""
        if self._calls is None:
            yield from self._words(text)
        else:
            yield from self._streamed(self._calls.feed(text))

    def finish(self) -> Iterator[TextDelta | ToolCallDelta | ToolCall]:
        """The reply is complete, or was left when it was ``over``."""
        if not self.over and self._calls is None:
            yield from self._words(self._held)
            if not self.over:
                yield from self._checked(self._parser.finish())

    def _words(self, text: str) -> Iterator[TextDelta | ToolCall]:
        """Words, and the calls that slipped into them; where words are JSON, all of them are words."""
        if self._leads is None:
            yield from self._checked(self._parser.feed(text))
        elif text:
            yield TextDelta(text)

    def _streamed(self, parts: Iterator[Opened | Argument | Closed]) -> Iterator[ToolCallDelta | ToolCall]:
        """The first call as it is written; later ones whole, because the smallest models say the same one again."""
        for part in parts:
            match part:
                case Opened(name=name) if name in self._tools:
                    self._open = _OpenCall(name)
                case Argument() if self._open is not None:
                    if self._invented(self._open.name, part.name, part.value):
                        if not self._needs(self._open.name, part.name):
                            continue  # what is optional and was not said is left out
                        if self._options.tool_choice == "auto" and not self._left(self._open):
                            self._nobody_asked()
                            return
                    if not self._tools[self._open.name].takes(part.name, part.value) and not self._left(self._open):
                        self.over, self.again = True, NamedTool(self._open.name)
                        return
                    self._open.add(part)
                    if not self._written and self._open.names >= self._tools[self._open.name].required:
                        yield self._open.take()
                case Closed() if self._open is not None:
                    yield from self._close(self._open)
                    if self.over:
                        return

    def _close(self, call: _OpenCall) -> Iterator[ToolCallDelta | ToolCall]:
        self._open = None
        call.end()
        whole = ToolCall(call.id, call.name, call.written)
        if not self._tools[call.name].fits(whole):
            self.over, self.again = True, NamedTool(call.name)
            if self._left(call):
                raise EngineError(
                    "llama", f"the arguments of '{call.name}' came out against its grammar", retriable=True
                )
            return
        if (call.name, call.written) in self._written:
            self.over = True
            return
        if not self._written:
            yield call.take()
        self._written.add((call.name, call.written))
        self.called, self.over = True, not self._options.parallel_tool_calls
        yield whole

    def _checked(self, events: Sequence[TextDelta | ToolCall]) -> Iterator[TextDelta | ToolCall]:
        for event in events:
            if isinstance(event, TextDelta):
                self._spoke = self._spoke or bool(event.text.strip())
                yield event
            elif self._is_allowed(event):
                event, needed = self._without_blanks(event)
                if needed and self._options.tool_choice == "auto":
                    self._nobody_asked()
                    return
                if not self._tools[event.name].fits(event):
                    self.over, self.again = True, NamedTool(event.name)
                    return
                self.called = True
                yield event
                if not self._options.parallel_tool_calls:
                    self.over = True
                    return
        if self._parser.repeated:
            self._nobody_asked()

    def _nobody_asked(self) -> None:
        self.over = True
        self.again = None if self.called or self._spoke else "none"

    def _is_allowed(self, call: ToolCall) -> bool:
        choice = self._options.tool_choice
        return choice != "none" and (not isinstance(choice, NamedTool) or call.name == choice.name)

    def _left(self, call: _OpenCall) -> bool:
        """Whether the client has been told of this call, or will be, whatever follows."""
        return call.told or bool(self._written)

    def _invented(self, tool: str, argument: str, value: Any) -> bool:
        """Whether nobody said this: a blank, or a value out of the air. Values of the tool's own are anybody's."""
        checked = self._tools[tool]
        free = checked.takes(argument, value) and not checked.lists(argument)
        return is_blank(value) or (free and not self._ground.holds(value))

    def _needs(self, tool: str, argument: str) -> bool:
        return tool in self._tools and argument in self._tools[tool].required

    def _without_blanks(self, call: ToolCall) -> tuple[ToolCall, bool]:
        """The call without optional arguments that are blank, and whether one it needs is blank, too."""
        arguments = json.loads(call.arguments)
        if not isinstance(arguments, dict):
            return call, False
        blank = {name for name, value in arguments.items() if self._invented(call.name, name, value)}
        if not blank or any(self._needs(call.name, name) for name in blank):
            return call, bool(blank)
        kept = {name: value for name, value in arguments.items() if name not in blank}
        return replace(call, arguments=json.dumps(kept, ensure_ascii=False)), False


class _OpenCall:
    """A call being written: ``written`` is its JSON so far, ``names`` the arguments in it, ``told`` whether any of it left."""

    def __init__(self, name: str) -> None:
        self.id = new_call_id()
        self.name = name
        self.names: set[str] = set()
        self.written = ""
        self.told = False
        self._taken = 0

    def add(self, argument: Argument) -> None:
        """One more argument."""
        opening = ", " if self.written else "{"
        self.names.add(argument.name)
        value = json.dumps(argument.value, ensure_ascii=False)
        self.written += f"{opening}{json.dumps(argument.name, ensure_ascii=False)}: {value}"

    def end(self) -> None:
        """No more arguments."""
        self.written += "}" if self.written else "{}"

    def take(self) -> ToolCallDelta:
        """What has been written since the last time; it leaves."""
        delta, self._taken, self.told = self.written[self._taken :], len(self.written), True
        return ToolCallDelta(self.id, self.name, delta)


class _Checked:
    """A tool whose calls can be checked. Raises ``ValueError`` for parameters that are no JSON Schema."""

    def __init__(self, tool: Tool) -> None:
        self.required = frozenset(tool.parameters.get("required", ()))
        schema = {"type": "object", **tool.parameters}
        kind = validator_for(schema)
        try:
            kind.check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"the parameters of tool '{tool.name}' are no JSON Schema: {error.message}") from error
        properties = tool.parameters.get("properties", {})
        self._listed = {
            name for name, of in properties.items() if isinstance(of, dict) and {"enum", "const"} & of.keys()
        }
        self._validator: Validator = kind(schema)
        self._properties = {
            name: self._validator.evolve(schema=of) for name, of in tool.parameters.get("properties", {}).items()
        }

    def lists(self, name: str) -> bool:
        """Whether an argument's values are listed."""
        return name in self._listed

    def takes(self, name: str, value: Any) -> bool:
        """Whether an argument may have this value, as far as its own schema tells."""
        return name not in self._properties or self._properties[name].is_valid(value)

    def fits(self, call: ToolCall) -> bool:
        """Whether the arguments are those of the schema."""
        arguments = json.loads(call.arguments)
        return isinstance(arguments, dict) and self._validator.is_valid(arguments)


_BLANK = re.compile(
    r"(?:your|my|user|some|example|placeholder|insert|enter)[ _-]\w+|<.*>|\[.*\]|\{.*\}"
    r"|string|unknown|n/a|null|none|tbd|\?+|\.{3}|…",
    re.IGNORECASE,
)
"""What small models fill in for what they were not told: ``your_city``, ``<location>``, ``unknown``."""


def is_blank(value: object) -> bool:
    """Whether an argument is a blank form field instead of a value."""
    return isinstance(value, str) and _BLANK.fullmatch(value.strip()) is not None


def calls_answered(messages: Sequence[Message]) -> tuple[ToolCall, ...]:
    """The calls since the user last spoke."""
    calls: list[ToolCall] = []
    for message in reversed(messages):
        if message.role == "user":
            break
        calls += message.tool_calls
    return tuple(calls)
