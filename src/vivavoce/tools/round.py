"""One round of the tool loop: what a model wrote and called."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from vivavoce.hosted import HostedEvent
from vivavoce.sound import SpokenText
from vivavoce.types import GenerationEnd, GenerationOptions, NamedTool, TextDelta, ToolCall, ToolCallDelta


class Round:
    """What one generation wrote, sorted: words to give on at once, calls for the server, calls for the client.

    Calls that are not allowed are dropped, whatever the engine thinks of it. ``holds_calls``: they are checked when they are
    whole.
    """

    def __init__(self, tools: Collection[str], allowed: GenerationOptions, *, holds_calls: bool = False) -> None:
        self.allowed = allowed
        self._holds_calls = holds_calls
        self._tools = tools
        self._withheld = allowed.withheld
        self._none = allowed.tool_choice == "none"
        self._dropped = False
        self.text = ""
        self.calls: list[ToolCall] = []
        self.functions: list[ToolCall] = []
        self.end = GenerationEnd("stop")

    @property
    def mute(self) -> bool:
        """Whether all there was to it were calls that had to be dropped."""
        return self._dropped and not (self.text.strip() or self.calls or self.functions)

    def add(self, event: HostedEvent) -> bool:
        """Take in an event; whether it is given on now. Whole calls of functions wait for what the server's tools find."""
        match event:
            case TextDelta(text=text) | SpokenText(text=text):
                self.text += text
            case ToolCallDelta(name=name) | ToolCall(name=name) if self._none or name in self._withheld:
                self._dropped = True
                return False
            case ToolCallDelta(name=name):
                return not self._holds_calls and name not in self._tools
            case ToolCall(name=name):
                (self.calls if name in self._tools else self.functions).append(event)
                return False
            case GenerationEnd():
                self.end = event
                return False
        return True


def summed(before: GenerationEnd, end: GenerationEnd) -> GenerationEnd:
    """``end`` with what both cost."""
    return replace(
        end,
        input_tokens=before.input_tokens + end.input_tokens,
        cached_tokens=before.cached_tokens + end.cached_tokens,
        output_tokens=before.output_tokens + end.output_tokens,
    )


def within_reach(options: GenerationOptions) -> GenerationOptions:
    """A demand for a tool that is not there (its server cannot be reached) is none."""
    choice = options.tool_choice
    if isinstance(choice, NamedTool) and choice.name not in {tool.name for tool in options.tools}:
        return replace(options, tool_choice="auto")
    return options


def whole(call: ToolCall) -> tuple[ToolCallDelta, ToolCall]:
    """A call as a model that writes it at once yields it."""
    return ToolCallDelta(call.id, call.name, call.arguments), call
