"""The output items of one response: their places, and how clients are told of them."""

from __future__ import annotations

from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item
from vivavoce.session.conversation import Conversation
from vivavoce.session.outbox import Outbox


class OutputItems:
    """In order. ``conversation`` is what the items become part of, if the response is not out of band."""

    def __init__(self, response_id: str, outbox: Outbox, conversation: Conversation | None) -> None:
        self.response_id = response_id
        self.items: list[Item] = []
        self._outbox = outbox
        self._conversation = conversation

    def add_message(self, item: Item) -> int:
        """A message begins, announced before it is part of the conversation, as the official demo needs it; its place."""
        self._announce(item)
        self._converse(item)
        return len(self.items) - 1

    def add(self, item: Item) -> int:
        """An item that is no message begins; its place."""
        self._converse(item)
        self._announce(item)
        return len(self.items) - 1

    def finish(self, index: int, item: Item) -> None:
        """The final form of the item at this place."""
        self.items[index] = item
        if self._conversation is not None:
            self._conversation.finish(item)
        self._outbox.send(ev.OutputItemDone(response_id=self.response_id, output_index=index, item=item))

    def _announce(self, item: Item) -> None:
        self.items.append(item)
        index = len(self.items) - 1
        self._outbox.send(ev.OutputItemAdded(response_id=self.response_id, output_index=index, item=item))

    def _converse(self, item: Item) -> None:
        if self._conversation is not None:
            self._conversation.add(item, response_id=self.response_id)
