"""What one response has the server's tools do, and how clients are told of it.

Calls of a tool server a GA client declared become items (``mcp_call``, ``mcp_approval_request``); all others work unseen.
Either way what came of them is part of the history: an item carries it, the next one to be complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

import msgspec

from vivavoce.protocol import mcp_events as mcp
from vivavoce.protocol.items import Item, ServerCall
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox
from vivavoce.session.output_items import OutputItems
from vivavoce.types import ApprovalNeeded, Message, ServerToolEnded, ServerToolStarted, ToolCall

INTERRUPTED = "The response was ended before the tool server had answered."


class _Where(TypedDict):
    response_id: str
    output_index: int
    item_id: str


@dataclass(slots=True)
class ServerCalls:
    """The calls of one response. ``open`` are at work, by call id; ``completed`` have ended, in order."""

    outbox: Outbox
    conversation: Conversation | None
    output: OutputItems
    open: dict[str, ToolCall] = field(default_factory=dict)
    completed: list[ServerCall] = field(default_factory=list)
    _unseen: list[ServerCall] = field(default_factory=list)
    _items: dict[str, tuple[int, Item]] = field(default_factory=dict)

    def started(self, event: ServerToolStarted) -> None:
        """A tool is at work."""
        self.open[event.call.id] = event.call
        if event.label is None:
            return
        request = self.conversation.find(event.call.id) if self.conversation is not None else None
        item = Item(
            id=self.outbox.new_id("mcp"), type="mcp_call", status="in_progress", server_label=event.label,
            name=event.original_name, arguments="", output=None, error=None,
            approval_request_id=request.id if request is not None else None,
        )  # fmt: skip
        index = self.output.add(item)
        where: _Where = {"response_id": self.output.response_id, "output_index": index, "item_id": item.id}
        self.outbox.send(mcp.McpArgumentsDelta(**where, delta=event.call.arguments))
        self.outbox.send(mcp.McpArgumentsDone(**where, arguments=event.call.arguments))
        self.outbox.send(mcp.McpCallInProgress(item_id=item.id, output_index=index))
        self._items[event.call.id] = index, msgspec.structs.replace(item, arguments=event.call.arguments)

    def ended(self, event: ServerToolEnded) -> None:
        """It has found something, or failed."""
        call, result = event.call, event.result
        self.open.pop(call.id, None)
        done = ServerCall(
            id=call.id, name=call.name, arguments=call.arguments, output=event.rendered, citations=result.citations
        )
        self.completed.append(done)
        if call.id not in self._items:
            self._unseen.append(done)
        elif result.failed:
            self._finish(call.id, (done,), error=result.text)
        else:
            self._finish(call.id, (done,), output=result.text)

    def needs_approval(self, event: ApprovalNeeded) -> str:
        """The client is asked; the id of the request."""
        item = Item(
            id=self.outbox.new_id("mcpr"), type="mcp_approval_request", server_label=event.label,
            name=event.original_name, arguments=event.call.arguments,
        )  # fmt: skip
        self.output.finish(self.output.add(item), item)
        return item.id

    def take(self) -> tuple[ServerCall, ...] | msgspec.UnsetType:
        """What worked unseen since the last item that carries such."""
        unseen, self._unseen = tuple(self._unseen), []
        return unseen or msgspec.UNSET

    def cut(self) -> None:
        """The response is over: nobody waits for what is still at work."""
        for call_id in tuple(self._items):
            self._finish(call_id, (), error=INTERRUPTED)

    def _finish(
        self, call_id: str, calls: tuple[ServerCall, ...], *, output: str | None = None, error: str | None = None
    ) -> None:
        index, item = self._items.pop(call_id)
        failed = {"type": "tool_execution_error", "message": error} if error is not None else None
        event = mcp.McpCallCompleted if failed is None else mcp.McpCallFailed
        self.outbox.send(event(item_id=item.id, output_index=index))
        status = "completed" if calls else "incomplete"
        done = msgspec.structs.replace(item, status=status, output=output, error=failed, calls=calls or msgspec.UNSET)
        self.output.finish(index, done)


def calls_as_messages(calls: tuple[ServerCall, ...]) -> list[Message]:
    """Calls made on the server as the language model had them: what it called, and what it was told."""
    if not calls:
        return []
    tool_calls = tuple(ToolCall(call.id, call.name, call.arguments) for call in calls)
    return [
        Message("assistant", "", tool_calls=tool_calls),
        *(Message("tool", call.output, tool_call_id=call.id) for call in calls),
    ]
