"""What the server says about tool servers (OpenAI differences, 8.2): which tools they have, and what becomes of calls."""

from __future__ import annotations

from vivavoce.protocol.server_events import ResponseEvent, ServerEvent


class McpArgumentsDelta(ResponseEvent, frozen=True, kw_only=True, tag="response.mcp_call_arguments.delta"):
    """More of the arguments a tool server is called with."""

    item_id: str
    delta: str


class McpArgumentsDone(ResponseEvent, frozen=True, kw_only=True, tag="response.mcp_call_arguments.done"):
    """Those arguments, whole: a JSON object as text."""

    item_id: str
    arguments: str


class McpCallEvent(ServerEvent, frozen=True, kw_only=True):
    """Base of what becomes of a tool server's call."""

    item_id: str
    output_index: int


class McpCallInProgress(McpCallEvent, frozen=True, kw_only=True, tag="response.mcp_call.in_progress"):
    """The tool server is at work."""


class McpCallCompleted(McpCallEvent, frozen=True, kw_only=True, tag="response.mcp_call.completed"):
    """It has answered."""


class McpCallFailed(McpCallEvent, frozen=True, kw_only=True, tag="response.mcp_call.failed"):
    """It has not, or with an error."""


class McpListEvent(ServerEvent, frozen=True, kw_only=True):
    """Base of what becomes of the question which tools a server has."""

    item_id: str


class McpListInProgress(McpListEvent, frozen=True, kw_only=True, tag="mcp_list_tools.in_progress"):
    """The tool server has been asked."""


class McpListCompleted(McpListEvent, frozen=True, kw_only=True, tag="mcp_list_tools.completed"):
    """It has said what it has."""


class McpListFailed(McpListEvent, frozen=True, kw_only=True, tag="mcp_list_tools.failed"):
    """It could not be reached, or did not say."""


MCP_EVENTS = (McpArgumentsDelta, McpArgumentsDone, McpCallEvent, McpListEvent)
"""Only GA has words for these."""
