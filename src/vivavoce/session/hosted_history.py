"""The conversation for an engine that keeps it itself: who said what, and what came of which call. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vivavoce.hosted import HistoryCall, HistoryEntry, HistoryMessage, HistoryOutput
from vivavoce.protocol.items import Item
from vivavoce.session.context import declined, message_of
from vivavoce.session.conversation import Conversation
from vivavoce.session.server_calls import calls_as_messages
from vivavoce.types import Message


def history_of(items: Iterable[Item], conversation: Conversation) -> tuple[HistoryEntry, ...]:
    """``items`` in order, without those that say nothing. What a user has said and nobody has read is there without words."""
    items = tuple(items)
    requests = {item.id: item for item in items if item.type == "mcp_approval_request"}
    return tuple(entry for item in items for entry in _entries(item, requests, conversation.response_of(item.id)))


def _entries(item: Item, requests: Mapping[str, Item], response_id: str | None) -> Iterator[HistoryEntry]:
    unseen = calls_as_messages(item.calls_before)
    if item.type == "mcp_approval_response" and item.approve is False:
        unseen += declined(requests.get(str(item.approval_request_id)))
    for call in unseen:
        yield from _of_calls(call)
    message = message_of(item)
    if message is not None and item.type != "message":
        yield from _of_calls(message)
    elif message is not None:
        yield HistoryMessage(item.id, message.role, message.content, response_id)
    elif item.role == "user" and any(part.type == "input_audio" for part in item.parts):
        yield HistoryMessage(item.id, "user", "")


def _of_calls(message: Message) -> Iterator[HistoryEntry]:
    yield from map(HistoryCall, message.tool_calls)
    if message.role == "tool":
        yield HistoryOutput(str(message.tool_call_id), message.content)
