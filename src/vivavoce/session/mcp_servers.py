"""The tool servers of a session: which tools they have, and what the client allows them (OpenAI GA, ``mcp``)."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol import mcp_events as mcp
from vivavoce.protocol.items import Item, NewItem
from vivavoce.protocol.tool_config import DeclaredTool, McpServerDeclaration
from vivavoce.session.conversation import Conversation
from vivavoce.session.inputs import ToolsListed, ToolsNotListed
from vivavoce.session.memory_budget import written_bytes
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import ListTools
from vivavoce.types import ToolCall

REMEMBERED_REQUESTS = 64
"""How many calls can wait for the client's answer."""


class SessionMcpServers:
    """Asks what new servers have, tells the client, and keeps calls until the client has allowed them."""

    def __init__(self, outbox: Outbox, conversation: Conversation) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._requests: OrderedDict[str, ToolCall] = OrderedDict()

    def declared(self, before: tuple[DeclaredTool, ...], now: tuple[DeclaredTool, ...]) -> None:
        """The session has these tools now: servers that are new, or changed, are asked for theirs."""
        for tool in now:
            if isinstance(tool, McpServerDeclaration) and tool not in before:
                self._outbox.command(ListTools(self._announce(tool) if tool.announced else None, tool))

    def listed(self, result: ToolsListed) -> bool:
        """A server has answered; whether anybody is told of it."""
        if result.item_id is None:
            return False
        budget, item = self._conversation.budget, self._conversation.find(result.item_id)
        if budget.used + written_bytes(result.tools) > budget.most_bytes:
            self.not_listed(ToolsNotListed(result.item_id, "The session has no room for the list."))
            return True
        self._outbox.send(mcp.McpListCompleted(item_id=result.item_id))
        if item is not None:
            self._conversation.finish(msgspec.structs.replace(item, status="completed", tools=result.tools))
        return True

    def not_listed(self, result: ToolsNotListed) -> None:
        """A server has not. Raises ``ClientError`` where there is no item to say it with."""
        if result.item_id is None:
            raise ClientError(result.message, code="tool_server_failed", param="session.tools")
        item = self._conversation.find(result.item_id)
        self._outbox.send(mcp.McpListFailed(item_id=result.item_id))
        if item is not None:
            self._conversation.finish(msgspec.structs.replace(item, status="incomplete"))

    def asked(self, request_id: str, call: ToolCall) -> None:
        """A call waits for the client."""
        self._requests[request_id] = ToolCall(request_id, call.name, call.arguments)
        while len(self._requests) > REMEMBERED_REQUESTS:
            self._requests.popitem(last=False)

    def waiting(self, item: NewItem) -> ToolCall | None:
        """The call the client's answer is about, if it may run. Raises ``ClientError`` where none waits for it."""
        call = self._requests.get(item.approval_request_id or "")
        if call is None:
            raise ClientError(
                f"no call waits for approval '{item.approval_request_id}'",
                code="item_not_found",
                param="item.approval_request_id",
            )
        return call if item.approve else None

    def answered(self, item: NewItem) -> None:
        """The answer has been taken in."""
        self._requests.pop(item.approval_request_id or "", None)

    def _announce(self, tool: McpServerDeclaration) -> str:
        item = Item(
            id=self._outbox.new_id("mcpl"), type="mcp_list_tools", status="in_progress",
            server_label=tool.server_label, tools=(),
        )  # fmt: skip
        self._conversation.add(item)
        self._outbox.send(mcp.McpListInProgress(item_id=item.id))
        return item.id
