"""What a server-side tool is: one Protocol, one verb.

Web search, retrieval, tool servers (MCP) and the built-in plug-ins all look like this to the tool loop. The language model
sees ``tool``, a function like any other; what the client declared, and under which wire type, is the dialects' business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vivavoce.types import Language, Message, Tool


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a piece of an answer comes from: a page of the web (``url``), or a passage of a file (``file_id``)."""

    title: str
    url: str | None = None
    file_id: str | None = None
    passage: str = ""


@dataclass(frozen=True, slots=True)
class Calling:
    """Who calls, and out of what conversation. ``messages`` end with the user's question; ``language`` is the user's."""

    owner: str
    messages: Sequence[Message] = ()
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found.

    ``text`` goes to the language model. ``payload`` goes to clients whose protocol shows results (for example
    ``{"results": [...]}`` of a web search). ``failed``: the tool could not do its work and ``text`` says so.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False


class ServerTool(Protocol):
    """A tool that runs on the server. Cancelling ``run`` stops the work."""

    kind: str
    """The wire type it was declared with: ``web_search``, ``retrieval``, ``mcp`` or ``builtin``."""

    tool: Tool
    """How the language model sees it."""

    timeout_s: float
    """How long it may take before the model is told that it failed."""

    async def run(self, arguments: Mapping[str, Any], calling: Calling) -> ToolResult:
        """Do the work; ``arguments`` fit the tool's JSON Schema.

        A failure the user should hear of (no network, nothing found) is a ``ToolResult`` with ``failed``. Anything raised is
        a bug of the tool: the loop logs it and tells the model that the tool failed.
        """
