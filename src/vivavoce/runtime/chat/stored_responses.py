"""Responses that clients may have again and go on from: in memory, bounded for each owner and altogether."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vivavoce.protocol.chat.messages import ChatMessage
from vivavoce.protocol.json_fields import Json

KEPT_S = 24 * 3600
MAX_RESPONSES_EACH = 256
"""Of one owner."""

MAX_BYTES_EACH = 16 * 1024**2
MAX_BYTES = 64 * 1024**2
"""Of one owner, and of all: about, counted in the characters of what is kept."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """``response`` as it was answered, ``input_items`` of its request, and ``messages``: the conversation up to its end."""

    response: Json
    input_items: Sequence[Json]
    messages: Sequence[ChatMessage]
    size: int


_Kept: TypeAlias = OrderedDict[str, tuple[float, StoredResponse]]
"""By id: until when, and what."""

_NOTHING: _Kept = OrderedDict()


class StoredResponses:
    """Each is kept for ``KEPT_S``; beyond a bound the ones stored longest ago go first. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._owners: OrderedDict[str, _Kept] = OrderedDict()

    def put(self, owner: str, stored: StoredResponse) -> None:
        """Keep a response from now on; one that alone is too large for its owner is not kept."""
        if stored.size > MAX_BYTES_EACH:
            return
        responses = self._owners.setdefault(owner, OrderedDict())
        self._owners.move_to_end(owner)
        responses[stored.response["id"]] = (self._clock() + KEPT_S, stored)
        while len(responses) > MAX_RESPONSES_EACH or _size(responses) > MAX_BYTES_EACH:
            responses.popitem(last=False)
        while sum(map(_size, self._owners.values())) > MAX_BYTES:
            oldest_owner = next(iter(self._owners))
            self._owners[oldest_owner].popitem(last=False)
            if not self._owners[oldest_owner]:
                del self._owners[oldest_owner]

    def find(self, owner: str, response_id: str) -> StoredResponse | None:
        """A response of this owner; ``None`` when there is none, or none any more."""
        entry = self._owners.get(owner, _NOTHING).get(response_id)
        if entry is None:
            return None
        expires_at, stored = entry
        if expires_at < self._clock():
            self.forget(owner, response_id)
            return None
        return stored

    def find_item(self, owner: str, item_id: str) -> Json | None:
        """An item of a response of this owner, or of what a request for one brought."""
        for response_id in reversed(list(self._owners.get(owner, ()))):
            stored = self.find(owner, response_id)
            items: Sequence[Json] = () if stored is None else [*stored.response["output"], *stored.input_items]
            for item in items:
                if item.get("id") == item_id:
                    return item
        return None

    def forget(self, owner: str, response_id: str) -> bool:
        """Keep it no longer; whether it was there."""
        responses = self._owners.get(owner, _NOTHING)
        removed = responses.pop(response_id, None) is not None
        if removed and not responses:
            del self._owners[owner]
        return removed


def _size(responses: _Kept) -> int:
    return sum(stored.size for _, stored in responses.values())
