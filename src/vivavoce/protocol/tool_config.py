"""The tools a client can declare, in canonical form (Realtime reference, 2.3; OpenAI differences, 9.1).

Functions run at the client; all others run on the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from vivavoce.types import Tool

ToolName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]

Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=60)]


class FunctionHints(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a function's owner says a call does, as the Model Context Protocol has it (2025-06-18, "Tool annotations")."""

    read_only_hint: bool | None = None
    destructive_hint: bool | None = None


class FunctionTool(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function the client runs. ``parameters`` is a JSON Schema object. ``x_effects``: whether a call does anything but
    answer, which ``annotations`` can say as well (an extension of Vivavoce's)."""

    name: ToolName
    description: str = ""
    parameters: Mapping[str, Any] = {}
    x_effects: bool | None = None
    annotations: FunctionHints | None = None

    def as_tool(self) -> Tool:
        """The function as language models and the tool loop know it."""
        hints = self.annotations or FunctionHints()
        effects = self.x_effects
        if effects is None and hints.read_only_hint is not None:
            effects = not hints.read_only_hint
        return Tool(self.name, self.description, self.parameters, effects=effects, destructive=hints.destructive_hint)

    def hints(self) -> dict[str, Any]:
        """What the client said of its effects, as it was written."""
        written: dict[str, Any] = {} if self.x_effects is None else {"x_effects": self.x_effects}
        return (
            written if self.annotations is None else {**written, "annotations": msgspec.to_builtins(self.annotations)}
        )


class WebSearchDeclaration(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="web_search"):
    """Search of the web. ``description`` tells the model when to search; the numbers' defaults are StepFun's."""

    description: str = ""
    top_k: Annotated[int, Meta(ge=1, le=20)] = 5
    timeout_seconds: Seconds = 3


class RetrievalDeclaration(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="retrieval"):
    """Search of the owner's documents. ``description`` tells the model when; the template has ``{{knowledge}}``, ``{{query}}``.

    ``name`` is only of Chat Completions.
    """

    description: str
    vector_store_id: Annotated[str, Meta(min_length=1, max_length=256)]
    prompt_template: str | None = None
    name: ToolName | None = None


class ToolFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which tools of a tool server: those of these names, or those the server says only read."""

    tool_names: tuple[str, ...] | None = None
    read_only: bool | None = None

    def matches(self, name: str, *, reads: bool) -> bool:
        """Whether a tool is meant. An empty filter means none."""
        if self.tool_names is None and self.read_only is None:
            return False
        name_matches = self.tool_names is None or name in self.tool_names
        return name_matches and (self.read_only is None or self.read_only == reads)


class ApprovalFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which tools the client is asked about, and which not; those in neither are asked about."""

    always: ToolFilter | None = None
    never: ToolFilter | None = None


Approval: TypeAlias = Literal["always", "never"] | ApprovalFilter
AllowedTools: TypeAlias = ToolFilter | tuple[str, ...]


class McpServerDeclaration(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="mcp"):
    """A tool server that speaks the Model Context Protocol. ``authorization`` and ``headers`` are never shown again.

    ``announced``: whether the client is told of the server's tools and calls (OpenAI GA); otherwise they are simply there.
    """

    server_label: ToolName
    server_url: Annotated[str, Meta(pattern=r"^https?://", max_length=2048)]
    server_description: str | None = None
    authorization: str | None = None
    headers: Mapping[str, str] = {}
    allowed_tools: AllowedTools | None = None
    require_approval: Approval = "always"
    announced: bool = True

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"McpServerDeclaration(server_label={self.server_label!r}, server_url={self.server_url!r})"

    def allows(self, name: str, *, reads: bool) -> bool:
        """Whether a tool of the server may be used at all; ``reads``: the server says that it changes nothing."""
        match self.allowed_tools:
            case None:
                return True
            case ToolFilter():
                return self.allowed_tools.matches(name, reads=reads)
            case names:
                return name in names

    def needs_approval(self, name: str, *, reads: bool) -> bool:
        """Whether the client is asked before a call of this tool."""
        approval = self.require_approval
        if isinstance(approval, str):
            return approval == "always"
        if approval.always is not None and approval.always.matches(name, reads=reads):
            return True
        return approval.never is None or not approval.never.matches(name, reads=reads)


ServerSideTool: TypeAlias = WebSearchDeclaration | RetrievalDeclaration | McpServerDeclaration
DeclaredTool: TypeAlias = FunctionTool | ServerSideTool


def wire_type(tool: DeclaredTool) -> str:
    """What the wire calls it."""
    return str(tool.__struct_config__.tag)


def functions(tools: tuple[DeclaredTool, ...]) -> tuple[FunctionTool, ...]:
    """Those that run at the client."""
    return tuple(tool for tool in tools if isinstance(tool, FunctionTool))


def server_side(tools: tuple[DeclaredTool, ...]) -> tuple[ServerSideTool, ...]:
    """Those that run on the server."""
    return tuple(tool for tool in tools if not isinstance(tool, FunctionTool))
