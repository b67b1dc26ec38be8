"""The items of a conversation, in order."""

from __future__ import annotations

from collections.abc import Iterator

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item
from vivavoce.protocol.server_events import ItemCreated, ItemDeleted
from vivavoce.session.outbox import Outbox

ROOT = "root"
"""As ``previous_item_id``: before everything else."""


class Conversation:
    """Items by id and in order. Every change a client should know of is announced here."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._items: dict[str, Item] = {}
        self._order: list[str] = []

    def __iter__(self) -> Iterator[Item]:
        return (self._items[item_id] for item_id in self._order)

    def __contains__(self, item_id: str) -> bool:
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
        if item.id in self._items:
            raise ClientError(f"item '{item.id}' already exists", code="item_already_exists", param="item.id")
        place = self._place_after(after)
        previous = self._order[place - 1] if place else None
        self._order.insert(place, item.id)
        self._items[item.id] = item
        self._outbox.send(ItemCreated(previous_item_id=previous, item=item))

    def replace(self, item: Item) -> None:
        """A newer form of an item that is here; nothing is announced. An item deleted meanwhile stays deleted."""
        if item.id in self._items:
            self._items[item.id] = item

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
