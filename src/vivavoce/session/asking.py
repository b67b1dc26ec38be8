"""What a response is asked to do, and the prompt that makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, UnsetType

from vivavoce.protocol.session_config import FunctionChoice, SessionConfig
from vivavoce.session.context import NOTHING_HEARD, Context
from vivavoce.session.conversation import Conversation
from vivavoce.types import GenerationOptions, Language, Message, NamedTool, Tool

SILENCE_NOTE = "(The user has said nothing for a while. Ask briefly whether they are still there or need anything.)"
"""Stands for the user's turn when they let the idle timeout pass."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One response: with what configuration, from which items, and whether it becomes part of the history.

    ``items`` names the items that take the history's place; ``None`` means the conversation as it stands. ``note`` is said
    in the user's place.
    """

    config: SessionConfig
    metadata: Mapping[str, Any] | UnsetType | None = UNSET
    in_conversation: bool = True
    items: tuple[str, ...] | None = None
    note: str | None = None

    @property
    def voice(self) -> str | None:
        """Who speaks; nobody in a text-only response."""
        return self.config.voice if self.config.speaks else None


class Prompts:
    """Makes prompts for asks. ``context_tokens`` is the language model's slot, ``reply_tokens`` what a reply may take of it."""

    def __init__(self, conversation: Conversation, *, context_tokens: int, reply_tokens: int) -> None:
        self._conversation = conversation
        self._context = Context(context_tokens - reply_tokens)
        self._reply_tokens = reply_tokens
        self.context_tokens = context_tokens

    def for_ask(
        self, ask: Ask, languages: Mapping[str, Language] = NOTHING_HEARD
    ) -> tuple[tuple[Message, ...], GenerationOptions]:
        """What the language model gets now; ``languages`` tells by item id in what language it was spoken."""
        config = ask.config
        if ask.items is None:
            messages = self._context.messages(config.instructions, self._conversation, languages)
        else:
            items = [item for item_id in ask.items if (item := self._conversation.find(item_id)) is not None]
            messages = Context(self.context_tokens - self._reply_tokens).messages(config.instructions, items, languages)
        if ask.note is not None:
            messages = (*messages, Message("user", ask.note))
        return messages, self._options(config)

    def _options(self, config: SessionConfig) -> GenerationOptions:
        limit = self._reply_tokens if config.max_output_tokens == "inf" else config.max_output_tokens
        choice = config.tool_choice
        return GenerationOptions(
            max_tokens=min(limit, self._reply_tokens),
            temperature=config.temperature,
            tools=tuple(Tool(tool.name, tool.description, tool.parameters) for tool in config.tools),
            tool_choice=NamedTool(choice.name) if isinstance(choice, FunctionChoice) else choice,
            parallel_tool_calls=config.parallel_tool_calls,
        )
