"""How many bytes the client of one conversation may make it keep: items, and what the session is told of itself. Pure."""

from __future__ import annotations

from sys import getsizeof
from typing import Any

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item

ITEM_BYTES = 1024
"""What an item takes beside its texts, rather more: very many empty ones are much, too."""


class MemoryBudget:
    """Bytes kept under a name (an item's id), at most ``most_bytes`` of them.

    Only what a client asks for is refused. What the server adds by itself (replies, transcripts) is slow and small, and
    counted.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._kept: dict[str, int] = {}
        self.used = 0

    def require(self, more: int, param: str) -> None:
        """Raises ``ClientError`` (``conversation_too_large``) when there is no room for so many bytes more."""
        if self.used + more > self.most_bytes:
            raise ClientError(
                f"The session holds {self.used} of at most {self.most_bytes} bytes: {more} more do not fit. "
                "Delete items first.",
                code="conversation_too_large",
                param=param,
            )

    def keep(self, name: str, size: int) -> None:
        """So many bytes are kept under this name now, instead of what was."""
        self.used += size - self._kept.get(name, 0)
        self._kept[name] = size

    def kept(self, name: str) -> int:
        """How many are kept under this name."""
        return self._kept.get(name, 0)

    def forget(self, name: str) -> None:
        """None are kept under this name any more."""
        self.used -= self._kept.pop(name, 0)


def item_bytes(item: Item) -> int:
    """About how much memory an item takes."""
    texts: list[Any] = [item.id, item.call_id, item.name, item.arguments, item.output, item.server_label, item.reason]
    for part in item.parts:
        texts += [part.text, part.transcript]
    for call in item.calls_before:
        texts += [call.arguments, call.output]
    listed = 0 if item.tools is msgspec.UNSET else written_bytes(item.tools)
    return ITEM_BYTES * (1 + len(item.parts)) + listed + sum(getsizeof(text) for text in texts if isinstance(text, str))


def written_bytes(value: Any) -> int:
    """How long a structure is as JSON."""
    return len(msgspec.json.encode(value))
