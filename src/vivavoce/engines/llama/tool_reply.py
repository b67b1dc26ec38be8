"""Which of the calls a model wrote are given on: those the choice allows, with arguments that fit. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from cachetools import LRUCache, cached
from jsonschema import Draft202012Validator, SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing.jsonschema import EMPTY_REGISTRY

from vivavoce.digests import text_digest
from vivavoce.engines.llama.argument_check import GroundingCheck
from vivavoce.engines.llama.call_stream import Argument, CallStream, Closed, Opened
from vivavoce.engines.llama.tool_classifier import ReplyKind
from vivavoce.errors import EngineError
from vivavoce.ids import random_id
from vivavoce.types import GenerationOptions, Message, NamedTool, TextDelta, Tool, ToolCall, ToolCallDelta, ToolChoice

_CHECKED_CHARACTERS = 4 * 1024 * 1024
"""Of schemas of tools that are kept ready to check with."""


class ToolReply:
    """Reads one reply of a ``kind``. ``over``: nothing more of it matters. ``again``: the choice to ask once more with, if any,
    and ``missing``: the argument nobody has named, if that is why.

    Calls leave argument by argument, as soon as all that the tool needs is there. The model is asked again where the
    arguments do not fit (that tool, alone), and in words where it has nothing to say but a call whose result it was just
    given, or one with a blank, or an invention, where the user should have said something: nobody asked for that.
    """

    def __init__(self, messages: Sequence[Message], options: GenerationOptions, kind: ReplyKind) -> None:
        self.kind = kind
        self.called = self.over = False
        self.again: ToolChoice | None = None
        self.missing = ""
        self._options = options
        self._tools = {tool.name: _Checked(tool) for tool in options.tools if tool.name not in options.withheld}
        answered = calls_answered(messages) if options.tool_choice == "auto" else ()
        self._answered = {(call.name, _normal(call.arguments)) for call in answered}
        self._grounding = GroundingCheck(messages)
        self._calls = CallStream()
        self._open: _OpenCall | None = None
        self._completed: set[tuple[str, str]] = set()

    def feed(self, text: str) -> Iterator[TextDelta | ToolCallDelta | ToolCall]:
        """Take more of the reply; give what is certain by now."""
        if self.kind == "calls":
            yield from self._streamed(self._calls.feed(text))
            return
        if text:
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
                        if self._options.tool_choice == "auto" and not self._open.sent:
                            self.missing = part.name
                            self._call_without_request()
                            return
                    if not self._tools[self._open.name].takes(part.name, part.value) and not self._is_announced(
                        self._open
                    ):
                        self.over, self.again = True, NamedTool(self._open.name)
                        return
                    self._open.add(self._as_spelled(self._open.name, part))
                    if self._may_leave(self._open):
                        yield self._open.take()
                case Closed() if self._open is not None:
                    yield from self._close(self._open)
                    if self.over:
                        return

    def _close(self, call: _OpenCall) -> Iterator[ToolCallDelta | ToolCall]:
        self._open = None
        call.end()
        complete_call = ToolCall(call.id, call.name, call.arguments)
        if not self._tools[call.name].fits(complete_call):
            self.over, self.again = True, NamedTool(call.name)
            if self._is_announced(call):
                raise EngineError(
                    "llama", f"the arguments of '{call.name}' came out against its grammar", retriable=True
                )
            return
        if (call.name, call.arguments) in self._completed:
            self.over = True
            return
        if (call.name, _normal(call.arguments)) in self._answered and not call.sent:
            self._call_without_request()
            return
        if not self._completed:
            yield call.take()
        self._completed.add((call.name, call.arguments))
        self.called, self.over = True, not self._options.parallel_tool_calls
        yield complete_call

    def _call_without_request(self) -> None:
        self.over = True
        self.again = None if self.called else "none"

    def _may_leave(self, call: _OpenCall) -> bool:
        """Whether what there is of a call can be told. That one was answered before shows only when it is whole."""
        again = any(name == call.name for name, _ in self._answered)
        return not self._completed and not again and call.names >= self._tools[call.name].required

    def _is_announced(self, call: _OpenCall) -> bool:
        """Whether the client has been told of this call, or will be, whatever follows."""
        return call.sent or bool(self._completed)

    def _invented(self, tool: str, argument: str, value: Any) -> bool:
        """Whether nobody said this: a blank, a value out of the air, or one of the tool's own that nobody chose."""
        checked = self._tools[tool]
        if is_blank(value):
            return True
        if listed := checked.listed(argument):
            return argument not in checked.required and not self._grounding.chooses(value, listed)
        return checked.takes(argument, value) and not self._grounding.holds(value)

    def _as_spelled(self, tool: str, argument: Argument) -> Argument:
        """Free words in the capitals the user wrote them in: small models write paris."""
        if self._tools[tool].listed(argument.name) or not isinstance(argument.value, str):
            return argument
        spelling = self._grounding.spelling(argument.value)
        return replace(argument, value=spelling) if self._tools[tool].takes(argument.name, spelling) else argument

    def _needs(self, tool: str, argument: str) -> bool:
        return tool in self._tools and argument in self._tools[tool].required


class _OpenCall:
    """A call being written: ``arguments`` is its JSON so far, ``names`` of those in it; ``sent``: whether any of it left."""

    def __init__(self, name: str) -> None:
        self.id = random_id("call")
        self.name = name
        self.names: set[str] = set()
        self.arguments = ""
        self.sent = False
        self._sent_length = 0

    def add(self, argument: Argument) -> None:
        """One more argument."""
        opening = ", " if self.arguments else "{"
        self.names.add(argument.name)
        value = json.dumps(argument.value, ensure_ascii=False)
        self.arguments += f"{opening}{json.dumps(argument.name, ensure_ascii=False)}: {value}"

    def end(self) -> None:
        """No more arguments."""
        self.arguments += "}" if self.arguments else "{}"

    def take(self) -> ToolCallDelta:
        """What has been written since the last time; it leaves."""
        delta, self._sent_length, self.sent = self.arguments[self._sent_length :], len(self.arguments), True
        return ToolCallDelta(self.id, self.name, delta)


class _Checked:
    """A tool whose calls can be checked. Raises ``ValueError`` for parameters that are no JSON Schema."""

    def __init__(self, tool: Tool) -> None:
        self.required = frozenset(tool.parameters.get("required", ()))
        properties = tool.parameters.get("properties", {})
        self._listed = {
            name: tuple(of.get("enum", (of.get("const"),)))
            for name, of in properties.items()
            if isinstance(of, dict) and {"enum", "const"} & of.keys()
        }
        try:
            self._validator = _validator(json.dumps(tool.parameters, ensure_ascii=False))
        except SchemaError as error:
            raise ValueError(f"the parameters of tool '{tool.name}' are no JSON Schema: {error.message}") from error
        self._properties = {name: self._validator.evolve(schema=of) for name, of in properties.items()}

    def listed(self, name: str) -> Sequence[Any]:
        """The values an argument may have, where the tool lists them."""
        return self._listed.get(name, ())

    def takes(self, name: str, value: Any) -> bool:
        """Whether an argument may have this value, as far as its own schema tells."""
        return name not in self._properties or _is_valid(self._properties[name], value)

    def fits(self, call: ToolCall) -> bool:
        """Whether the arguments are those of the schema."""
        arguments = json.loads(call.arguments)
        return isinstance(arguments, dict) and _is_valid(self._validator, arguments)


def _size(validator: Validator) -> int:
    return len(str(validator.schema))


@cached(LRUCache[bytes, Validator](_CHECKED_CHARACTERS, getsizeof=_size), key=text_digest)
def _validator(parameters: str) -> Validator:
    """What checks the arguments of one tool, in every reply anew. Raises ``SchemaError``."""
    schema = {"type": "object", **json.loads(parameters)}
    kind = validator_for(schema, Draft202012Validator)
    kind.check_schema(schema)
    # Nothing that clients' schemas refer to is fetched, which is what the library does unless it is told.
    validator: Validator = kind(schema, registry=EMPTY_REGISTRY)
    return validator


def _is_valid(validator: Validator, value: Any) -> bool:
    """Whether a value fits, as far as the schema tells by itself.

    Its references may lead nowhere or in a circle, its patterns be none: the library raises as many things as there are.
    """
    try:
        return validator.is_valid(value)
    except Exception:  # noqa: BLE001
        return True


_BLANK = re.compile(
    r"(?:your|my|user|some|example|placeholder|insert|enter)[ _-]\w+|<.*>|\[.*\]|\{.*\}"
    r"|string|unknown|any(?:one|thing|where)?|n/a|null|none|tbd|\?+|\.{3}|…",
    re.IGNORECASE,
)
"""What small models fill in for what they were not told: ``your_city``, ``<location>``, ``unknown``."""


def is_blank(value: object) -> bool:
    """Whether an argument is a blank form field instead of a value."""
    return isinstance(value, str) and _BLANK.fullmatch(value.strip()) is not None


def _normal(arguments: str) -> str:
    """JSON in one spelling, so that equal calls compare equal. A client's may be none: then it is what it is."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, sort_keys=True)
    except ValueError:
        return arguments


def calls_answered(messages: Sequence[Message]) -> tuple[ToolCall, ...]:
    """The calls since the user last spoke; instructions given since the last answer in words ask anew, too."""
    calls: list[ToolCall] = []
    ordered = len(messages) > 1 and messages[-1].role == "system"
    for message in reversed(messages):
        if message.role == "user" or (ordered and message.role == "assistant" and not message.tool_calls):
            break
        calls += message.tool_calls
    return tuple(calls)
