"""The calls a client has had from one reply: to make them itself, or to allow them.

A reply that goes on after a false interruption is written again from its prompt, and so are its calls: those the client
has had are not delivered a second time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from vivavoce.types import ToolCall


class DeliveredCalls:
    """Compares calls by name and arguments: their ids are new whenever they are written.

    ``delivered``: the calls the client has had, from earlier parts of the reply and from this one.
    """

    def __init__(self, delivered: Iterable[ToolCall] = ()) -> None:
        self.delivered = list(delivered)
        self._repeatable = list(self.delivered)
        self._held_back: set[str] = set()

    def hold_back(self, call_id: str) -> bool:
        """Whether more of this call is not shown before it is whole: it may be one that the client has had."""
        if self._repeatable:
            self._held_back.add(call_id)
        return call_id in self._held_back

    def deliver(self, call: ToolCall) -> bool:
        """A call is whole. Whether it goes to the client: each call of an earlier part may come again once."""
        for earlier in self._repeatable:
            if earlier.name == call.name and _read(earlier.arguments) == _read(call.arguments):
                self._repeatable.remove(earlier)
                return False
        self.delivered.append(call)
        return True


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
