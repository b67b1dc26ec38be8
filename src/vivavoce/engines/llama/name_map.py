"""Names of tools by which the model's first token tells a call from words. Pure.

Words begin with ``talk`` (``tool_prompt.py``), and so would a call of ``talk_to_agent``: such tools have another name here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vivavoce.engines.llama.tool_prompt import TALK
from vivavoce.types import GenerationEvent, GenerationOptions, Message, NamedTool, Tool, ToolCall, ToolCallDelta


class Naming:
    """Which of ``tools`` the model knows by another name."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        used = {tool.name for tool in tools}
        self._model_names: dict[str, str] = {}
        for tool in tools:
            if tool.name.startswith(TALK):
                name = f"do_{tool.name}"
                while name in used:
                    name = f"do_{name}"
                self._model_names[tool.name] = name
                used.add(name)
        self._original_names = {model_name: name for name, model_name in self._model_names.items()}

    def messages(self, messages: Sequence[Message]) -> Sequence[Message]:
        """A conversation with the calls in it as the model knows them."""
        return [replace(message, tool_calls=tuple(map(self._call, message.tool_calls))) for message in messages]

    def options(self, options: GenerationOptions) -> GenerationOptions:
        """What is on offer, as the model knows it."""
        choice = options.tool_choice
        return replace(
            options,
            tools=tuple(replace(tool, name=self._of(tool.name)) for tool in options.tools),
            tool_choice=NamedTool(self._of(choice.name)) if isinstance(choice, NamedTool) else choice,
            withheld=frozenset(map(self._of, options.withheld)),
            transient=frozenset(map(self._of, options.transient)),
        )

    def event(self, event: GenerationEvent) -> GenerationEvent:
        """What the model wrote, with the names everybody else knows."""
        if isinstance(event, ToolCall | ToolCallDelta):
            return replace(event, name=self._original_names.get(event.name, event.name))
        return event

    def _call(self, call: ToolCall) -> ToolCall:
        return replace(call, name=self._of(call.name))

    def _of(self, name: str) -> str:
        return self._model_names.get(name, name)
