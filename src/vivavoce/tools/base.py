"""What a server-side tool is: one Protocol, one verb.

Web search, retrieval, tool servers (MCP) and the built-in plug-ins all look like this to the tool loop. The language model
sees ``tool``, a function like any other; what the client declared, and under which wire type, is the dialects' business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from vivavoce.intents.turn import TurnIntent
from vivavoce.types import Citation as Citation
from vivavoce.types import Language, Message, Tool
from vivavoce.types import ToolResult as ToolResult

Effects: TypeAlias = Literal["none", "sends", "acts"]
"""What calling a tool does beside its answer: nothing (a calculator, a search in the owner's own documents); its arguments
leave the server (a web search); or it changes something (a timer, a message that is sent)."""


GROUP = "vivavoce.tools"
"""Entry points of plug-ins: each a callable without arguments that gives a ``ServerTool``."""


class LiveConversation(Protocol):
    """A conversation that goes on after the reply: tools can have something said in it later."""

    def later(self, delay_s: float, notice: str) -> asyncio.TimerHandle:
        """In ``delay_s``, as soon as nobody speaks, the assistant tells the user ``notice``, if the conversation still is."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """Who calls, and out of what conversation.

    ``messages`` end with the user's question; ``language`` is the user's. ``live`` is the conversation, where there is one
    beyond this reply: a tool may remember things by it, weakly.
    """

    owner: str
    messages: Sequence[Message] = ()
    language: Language = "en"
    live: LiveConversation | None = None


class ServerTool(Protocol):
    """A tool that runs on the server. Subclass it: what has a value here need not be repeated."""

    kind: str
    """The wire type it was declared with: ``web_search``, ``retrieval``, ``mcp`` or ``builtin``."""

    tool: Tool
    """How the language model sees it."""

    timeout_s: float
    """How long it may take before the model is told that it failed."""

    effects: Effects = "sends"
    """Once the model has read untrusted content, only tools with no effects are on offer until the user speaks again."""

    label: str | None = None
    """The tool server's name, for clients that are told of its calls (OpenAI GA, ``mcp``)."""

    original_name: str = ""
    """What the tool server calls the tool."""

    needs_approval: bool = False
    """Whether the client is asked before it runs."""

    async def arguments_in_advance(
        self, messages: Sequence[Message], intent: TurnIntent | None
    ) -> Mapping[str, Any] | None:
        """With what it is called before the model writes, because it has, or should have, what was said last; ``None``: it is
        left to the model. ``intent`` is what that wants, where that is known. Raises ``EngineError``."""
        return None

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Do the work; ``arguments`` fit the tool's JSON Schema. Cancelling stops it.

        A failure the user should hear of (no network, nothing found) is a ``ToolResult`` with ``failed``. Anything raised is
        a bug of the tool: the loop logs it and tells the model that the tool failed.
        """
        ...
