"""What a response is asked to do, and the prompt that makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, UnsetType

from vivavoce.protocol.items import Item
from vivavoce.protocol.session_config import FunctionChoice, ServerChoice, SessionConfig
from vivavoce.protocol.session_config import ToolChoice as Choice
from vivavoce.session.context import NOTHING_HEARD, Context
from vivavoce.session.conversation import Conversation
from vivavoce.session.persona import opening
from vivavoce.session.prompt_budget import PromptBudget, functions_of
from vivavoce.token_estimates import estimate_tokens
from vivavoce.types import GenerationOptions, Language, Message, NamedTool, ToolCall, ToolChoice, ToolOfServer

SILENCE_NOTE = "(The user has said nothing for a while. Ask briefly whether they are still there or need anything.)"
"""Stands for the user's turn when they let the idle timeout pass."""


NOTICE = "({} Tell the person so in one short sentence, in the language you have been speaking.)"
"""Stands for the user's turn when something is to be told them."""

OVERRIDE = "For this reply only, instead of the instructions above:\n{}"
"""Instructions of one response. They stand behind the conversation, so that all before them stays in the model's cache."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One response: with what configuration, from which items, and whether it becomes part of the history.

    ``session`` is the session's configuration, where the response overrides it: the prompt begins with what that says, because
    the model has read it. ``items`` names the items that take the history's place; ``None`` means the conversation as it
    stands. ``note`` is said in the user's place and only wants to be told: nothing is called for it. ``calls`` are those of
    the server's tools the client has allowed: they come first.
    """

    config: SessionConfig
    metadata: Mapping[str, Any] | UnsetType | None = UNSET
    in_conversation: bool = True
    items: tuple[str, ...] | None = None
    note: str | None = None
    calls: tuple[ToolCall, ...] = ()
    session: SessionConfig | None = None

    @property
    def voice(self) -> str | None:
        """Who speaks; nobody in a text-only response."""
        return self.config.voice if self.config.speaks else None

    @property
    def instructions(self) -> str | None:
        """What rules this response in place of the session's instructions, if anything does."""
        own = self.config.instructions.strip()
        return own if self.session is not None and own and own != self.session.instructions.strip() else None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the language model gets. ``tool_tokens``: how much of it may tell of tools."""

    messages: tuple[Message, ...]
    options: GenerationOptions
    tool_tokens: int


class Prompts:
    """Makes prompts for asks, within ``budget``."""

    def __init__(self, conversation: Conversation, budget: PromptBudget) -> None:
        self._conversation = conversation
        self._context = Context(budget.context_tokens - budget.reply_tokens)
        self.budget = budget

    def for_ask(
        self, ask: Ask, languages: Mapping[str, Language] = NOTHING_HEARD, *, user_speaks: bool = False
    ) -> Prompt:
        """What the language model gets now; ``languages`` tells by item id in what language it was spoken.

        ``user_speaks``: a turn of the user follows, so that it need not be said what to do where nobody has said anything.
        """
        session, head = ask.session or ask.config, self._head(ask)
        options, context = self._options(ask), self._context
        behind = _behind(None if head is ask.config else ask.instructions, ask.note)
        items: Iterable[Item] = self._conversation
        if ask.items is not None:
            items = [item for item_id in ask.items if (item := self._conversation.find(item_id)) is not None]
            context = Context(self.budget.context_tokens - self.budget.reply_tokens)
        usual = self.budget.head(session)
        messages = context.messages(
            head.instructions,
            items,
            languages,
            head_tokens=usual,
            spare=self.budget.spare(session, options.tools),
            once=sum(map(estimate_tokens, behind)) + self.budget.head(head) - usual,
        )
        if len(messages) == 1 and not (behind or user_speaks) and self.budget.with_tools(session):
            behind = (Message("system", opening(head.instructions)),)
        return Prompt((*messages, *behind), options, self.budget.most_tools(head))

    def _head(self, ask: Ask) -> SessionConfig:
        """Whose instructions the prompt begins with: the session's, unless there is no room for the response's beside them."""
        if ask.session is None or ask.instructions is None:
            return ask.session or ask.config
        lengths, both = self.budget.lengths, (ask.session.instructions.strip(), ask.instructions)
        fits = sum(map(lengths.tokens, both)) <= self.budget.most_instructions(ask.config)
        return ask.session if fits else ask.config

    def _options(self, ask: Ask) -> GenerationOptions:
        config, most = ask.config, self.budget.reply_tokens
        limit = most if config.max_output_tokens == "inf" else config.max_output_tokens
        offered = functions_of(config)
        told = functions_of(ask.session) if ask.session is not None else offered
        own = frozenset(tool.name for tool in offered if tool not in told)
        head = tuple(tool for tool in told if tool.name not in own)
        return GenerationOptions(
            max_tokens=min(limit, most),
            temperature=config.temperature,
            tools=(*head, *(tool for tool in offered if tool.name in own)),
            tool_choice="none" if ask.note is not None else chosen(config.tool_choice),
            parallel_tool_calls=config.parallel_tool_calls,
            withheld=frozenset(tool.name for tool in head if tool not in offered),
            transient=own,
        )


def _behind(instructions: str | None, note: str | None) -> tuple[Message, ...]:
    """What stands behind the conversation, in this prompt only."""
    override = [Message("system", OVERRIDE.format(instructions))] if instructions is not None else []
    return (*override, *([Message("user", note)] if note is not None else []))


def chosen(choice: Choice) -> ToolChoice:
    """What a client chose, for those who ask the language model."""
    match choice:
        case FunctionChoice(name=name):
            return NamedTool(name)
        case ServerChoice(server_label=label, name=name):
            return ToolOfServer(label, name)
        case word:
            return word
