"""What a response is asked to do, and the prompt that makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, UnsetType

from vivavoce.protocol.session_config import FunctionChoice, ServerChoice, SessionConfig
from vivavoce.protocol.session_config import ToolChoice as Choice
from vivavoce.protocol.tool_config import functions, server_side
from vivavoce.session.context import NOTHING_HEARD, RULES_TOKENS, Context, estimate_tools
from vivavoce.session.conversation import Conversation
from vivavoce.types import GenerationOptions, Language, Message, NamedTool, Tool, ToolCall, ToolChoice, ToolOfServer

RESULTS_SHARE = 0.25
"""Of the context, kept free of history for what the server's tools find."""

SILENCE_NOTE = "(The user has said nothing for a while. Ask briefly whether they are still there or need anything.)"
"""Stands for the user's turn when they let the idle timeout pass."""


NOTICE = "({} Tell the person so in one short sentence, in the language you have been speaking.)"
"""Stands for the user's turn when something is to be told them."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One response: with what configuration, from which items, and whether it becomes part of the history.

    ``items`` names the items that take the history's place; ``None`` means the conversation as it stands. ``note`` is said
    in the user's place. ``calls`` are those of the server's tools the client has allowed: they come first.
    """

    config: SessionConfig
    metadata: Mapping[str, Any] | UnsetType | None = UNSET
    in_conversation: bool = True
    items: tuple[str, ...] | None = None
    note: str | None = None
    calls: tuple[ToolCall, ...] = ()

    @property
    def voice(self) -> str | None:
        """Who speaks; nobody in a text-only response."""
        return self.config.voice if self.config.speaks else None


class Prompts:
    """Makes prompts for asks. ``context_tokens`` is the language model's slot, ``reply_tokens`` what a reply may take of it.

    ``own_tools``: the server has tools of its own, which no client declares.
    """

    def __init__(
        self, conversation: Conversation, *, context_tokens: int, reply_tokens: int, own_tools: bool = False
    ) -> None:
        self._conversation = conversation
        self._context = Context(context_tokens - reply_tokens)
        self._reply_tokens = reply_tokens
        self.context_tokens = context_tokens
        self._own_tools = own_tools

    def for_ask(
        self, ask: Ask, languages: Mapping[str, Language] = NOTHING_HEARD
    ) -> tuple[tuple[Message, ...], GenerationOptions]:
        """What the language model gets now; ``languages`` tells by item id in what language it was spoken."""
        config, options = ask.config, self._options(ask.config)
        spare = self._spare(config, options)
        if ask.items is None:
            messages = self._context.messages(config.instructions, self._conversation, languages, spare=spare)
        else:
            items = [item for item_id in ask.items if (item := self._conversation.find(item_id)) is not None]
            context = Context(self.context_tokens - self._reply_tokens)
            messages = context.messages(config.instructions, items, languages, spare=spare)
        if ask.note is not None:
            messages = (*messages, Message("user", ask.note))
        return messages, options

    def _spare(self, config: SessionConfig, options: GenerationOptions) -> int:
        """Tokens for what is told of tools, and for what those of the server find."""
        if not (self._own_tools or server_side(config.tools)):
            return estimate_tools(options.tools)
        return int(self.context_tokens * RESULTS_SHARE) + max(estimate_tools(options.tools), RULES_TOKENS)

    def _options(self, config: SessionConfig) -> GenerationOptions:
        limit = self._reply_tokens if config.max_output_tokens == "inf" else config.max_output_tokens
        choice = config.tool_choice
        return GenerationOptions(
            max_tokens=min(limit, self._reply_tokens),
            temperature=config.temperature,
            tools=tuple(Tool(tool.name, tool.description, tool.parameters) for tool in functions(config.tools)),
            tool_choice=chosen(choice),
            parallel_tool_calls=config.parallel_tool_calls,
        )


def chosen(choice: Choice) -> ToolChoice:
    """What a client chose, for those who ask the language model."""
    match choice:
        case FunctionChoice(name=name):
            return NamedTool(name)
        case ServerChoice(server_label=label, name=name):
            return ToolOfServer(label, name)
        case word:
            return word
