"""The items of a conversation, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item
from vivavoce.protocol.server_events import ItemCreated, ItemDeleted, ItemDone
from vivavoce.session.outbox import Outbox

ROOT = "root"
"""As ``previous_item_id``: before everything else."""


class Conversation:
    """Items by id and in order. Every change a client should know of is announced here."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.id = outbox.new_id("conv")
        self._items: dict[str, Item] = {}
        self._order: list[str] = []
        self._aside: dict[str, Item] = {}

    def __iter__(self) -> Iterator[Item]:
        return (self._items[item_id] for item_id in self._order)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def __len__(self) -> int:
        return len(self._order)

    @property
    def last_id(self) -> str | None:
        """The newest item's id."""
        return self._order[-1] if self._order else None

    def get(self, item_id: str) -> Item:
        """An item. Raises ``ClientError`` if there is none of this id."""
        try:
            return self._items[item_id]
        except KeyError:
            raise ClientError(f"cannot find item '{item_id}'", code="item_not_found", param="item_id") from None

    def add(self, item: Item, *, after: str | None = None) -> None:
        """Put an item after ``after`` (or at the end) and announce it.

        Raises ``ClientError`` when ``after`` is unknown or the id is taken.
        """
        if item.id == ROOT:
            raise ClientError(f"'{ROOT}' stands for the beginning and is no item", param="item.id")
        if item.id in self._items:
            raise ClientError(f"item '{item.id}' already exists", code="item_already_exists", param="item.id")
        place = self._place_after(after)
        previous = self._order[place - 1] if place else None
        self._order.insert(place, item.id)
        self._items[item.id] = item
        self._outbox.send(ItemCreated(previous_item_id=previous, item=item))
        if item.status != "in_progress":
            self._outbox.send(ItemDone(previous_item_id=previous, item=item))

    def finish(self, item: Item) -> None:
        """The final form of an item that was in progress, announced. An item deleted meanwhile stays deleted."""
        if item.id in self._items and self._items[item.id].status == "in_progress":
            self._items[item.id] = item
            place = self._order.index(item.id)
            self._outbox.send(ItemDone(previous_item_id=self._order[place - 1] if place else None, item=item))

    def replace(self, item: Item) -> None:
        """A newer form of an item that is here or aside, not announced. An item deleted meanwhile stays deleted."""
        if item.id in self._items:
            self._items[item.id] = item
        elif item.id in self._aside:
            self._aside[item.id] = item

    def put_aside(self, item: Item) -> None:
        """Keep an item beside the history: the input of a response out of band."""
        self._aside[item.id] = item

    def forget_aside(self, item_ids: Iterable[str]) -> None:
        """The response they were for is over. What is in the history stays."""
        for item_id in item_ids:
            self._aside.pop(item_id, None)

    def find(self, item_id: str) -> Item | None:
        """An item of the history or aside."""
        return self._items.get(item_id) or self._aside.get(item_id)

    def delete(self, item_id: str) -> None:
        """Remove an item and announce it. Raises ``ClientError`` if there is none of this id."""
        self.get(item_id)
        del self._items[item_id]
        self._order.remove(item_id)
        self._outbox.send(ItemDeleted(item_id=item_id))

    def _place_after(self, after: str | None) -> int:
        if after is None:
            return len(self._order)
        if after == ROOT:
            return 0
        if after not in self._items:
            raise ClientError(f"cannot find previous item '{after}'", code="item_not_found", param="previous_item_id")
        return self._order.index(after) + 1
