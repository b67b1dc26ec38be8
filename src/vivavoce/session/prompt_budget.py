"""How the language model's context is shared out between instructions, tools, what tools find, the history and the reply.

Instructions come first and are never cut: what leaves no room for the rest is refused when the client sends it. Tools take
what is left, within a share; those that cannot all be told are chosen by the turn (``tools/selection.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from vivavoce.digests import text_digest
from vivavoce.errors import ClientError
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.protocol.tool_config import McpServerDeclaration, functions, server_side
from vivavoce.session.default_prompt import NAME, system_prompt
from vivavoce.signatures import RULES_TOKENS, estimate_tool
from vivavoce.text.token_estimates import TURN_TOKENS, estimate_text
from vivavoce.types import Tool

TOOLS_SHARE = 1 / 3
"""Of the context, for what tools say of themselves."""

MIN_TOOLS_SHARE = 0.08
"""Of the context, for tools, however long the instructions are: those one turn is about."""

RESULTS_SHARE = 0.25
"""Of the context, kept free of history for what the server's tools find."""

MIN_RESULTS_SHARE = 0.06
"""Of the context, for results, however long the instructions are."""

HISTORY_SHARE = 0.1
"""Of the context, for the conversation, however long the instructions are."""

MEASURED = 1024
"""Texts whose exact length is remembered."""


class TextLengths:
    """Tokens of long texts to one language model. Whoever drives a session can count them, and does so before the session is
    told of one. The texts themselves are not kept."""

    def __init__(self) -> None:
        self._exact = LRUCache[bytes, int](MEASURED)

    def tokens(self, text: str) -> int:
        """How long ``text`` is: exactly, if it was measured, else rather more."""
        return self._exact.get(text_digest(text)) or estimate_text(text)

    def measured(self, text: str, tokens: int) -> None:
        """``text`` has so many tokens."""
        self._exact[text_digest(text)] = tokens


@dataclass(frozen=True, slots=True)
class PromptBudget:
    """The shares of one model's context, in tokens. ``own_tools``: the server has tools that no client declares. ``name`` is
    the assistant's; ``told_origin``: it is told whose it is, because its answers leave before they can be read.
    """

    context_tokens: int
    reply_tokens: int
    own_tools: bool
    lengths: TextLengths
    name: str = NAME
    told_origin: bool = False

    def system_prompt(self, instructions: str, *, spoken: bool = True) -> str:
        """The system message with these instructions."""
        return system_prompt(instructions, self.name, spoken=spoken, told_origin=self.told_origin)

    def head(self, config: SessionConfig) -> int:
        """The system prompt of a session: its instructions, and the rules of speech."""
        text = config.instructions.strip()
        around = self.system_prompt(text).replace(text, "", 1) if text else self.system_prompt("")
        return TURN_TOKENS + self.lengths.tokens(text) + estimate_text(around)

    def most_instructions(self, config: SessionConfig) -> int:
        """How long instructions may be beside the tools of ``config``, so that every reply has room."""
        with_tools, on_server = self.with_tools(config), self._on_server(config)
        least = HISTORY_SHARE + MIN_TOOLS_SHARE * with_tools + MIN_RESULTS_SHARE * on_server
        around = estimate_text(self.system_prompt("x")) + TURN_TOKENS
        rest = int(self.context_tokens * least) + RULES_TOKENS * with_tools + around
        return max(self.context_tokens - self.reply_tokens - rest, 0)

    def require_room(self, config: SessionConfig, param: str) -> None:
        """Raises ``ClientError`` with the figures when the instructions of ``config`` are too long beside its tools."""
        most = self.most_instructions(config)
        tokens = self.lengths.tokens(config.instructions.strip())
        if tokens > most:
            beside = "these tools, " if self.with_tools(config) else ""
            raise ClientError(
                f"The instructions have {tokens} tokens; beside {beside}the reply and the conversation the model's "
                f"context of {self.context_tokens} leaves room for {most}.",
                code="context_length_exceeded",
                param=param,
            )

    def most_tools(self, config: SessionConfig) -> int:
        """How much of the prompt may tell of tools, the rules of calling any aside."""
        left = self.context_tokens * (1 - HISTORY_SHARE - MIN_RESULTS_SHARE * self._on_server(config))
        left -= self.reply_tokens + self.head(config) + RULES_TOKENS
        least = self.context_tokens * MIN_TOOLS_SHARE
        return int(max(min(left, self.context_tokens * TOOLS_SHARE), least))

    def reserved_tokens(self, config: SessionConfig, tools: Sequence[Tool]) -> int:
        """What is kept free of history: for ``tools`` and those of the server, and for what the latter find."""
        if not self.with_tools(config):
            return 0
        most, tool_tokens = self.most_tools(config), sum(map(estimate_tool, tools))
        if any(isinstance(tool, McpServerDeclaration) for tool in config.tools):
            tool_tokens = most  # nobody knows here how many tools a tool server has
        reserved = RULES_TOKENS + min(tool_tokens, most)
        if not self._on_server(config):
            return reserved
        left = self.context_tokens * (1 - HISTORY_SHARE) - self.reply_tokens - self.head(config) - reserved
        return reserved + int(max(min(left, self.context_tokens * RESULTS_SHARE), 0))

    def with_tools(self, config: SessionConfig) -> bool:
        """Whether replies of such a session may have tools."""
        return self.own_tools or bool(config.tools)

    def _on_server(self, config: SessionConfig) -> bool:
        return self.own_tools or bool(server_side(config.tools))


def functions_of(config: SessionConfig) -> tuple[Tool, ...]:
    """The client's functions, for those who ask the language model."""
    return tuple(tool.as_tool() for tool in functions(config.tools))
