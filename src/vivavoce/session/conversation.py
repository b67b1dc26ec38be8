"""The items of a conversation, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item
from vivavoce.protocol.server_events import ItemCreated, ItemDeleted, ItemDone
from vivavoce.session.memory_budget import MemoryBudget, item_bytes
from vivavoce.session.outbox import Outbox

ROOT = "root"
"""As ``previous_item_id``: before everything else."""

ItemAction: TypeAlias = Literal["retrieve", "delete", "truncate"]
"""What a client wants to do with an item it names."""

_PARTICIPLES: dict[ItemAction, str] = {"retrieve": "retrieving", "delete": "deleting", "truncate": "truncating"}


class Conversation:
    """Items by id and in order. Every change a client should know of is announced here; ``budget`` counts what is kept."""

    def __init__(self, outbox: Outbox, budget: MemoryBudget) -> None:
        self._outbox = outbox
        self.budget = budget
        self.id = outbox.new_id("conv")
        self._items: dict[str, Item] = {}
        self._order: list[str] = []
        self._aside: dict[str, Item] = {}
        self._heard_ms: dict[str, int] = {}
        self._called_aside: set[tuple[str, str]] = set()

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

    def client_is_asked(self) -> bool:
        """Whether the client has yet to answer a function call, or whether one may be made."""
        asked: set[object] = set()
        for item in self:
            if item.type == "function_call" and item.status == "completed":
                asked.add(item.call_id)
            elif item.type == "mcp_approval_request":
                asked.add(item.id)
            elif item.type == "function_call_output":
                asked.discard(item.call_id)
            elif item.type == "mcp_approval_response":
                asked.discard(item.approval_request_id)
        return bool(asked)

    def get(self, item_id: str, action: ItemAction = "retrieve") -> Item:
        """An item. Raises ``ClientError`` if there is none of this id.

        Code and message are OpenAI's, which has a code for each ``action``; other dialects write their own.
        """
        try:
            return self._items[item_id]
        except KeyError:
            raise ClientError(
                f"Error {_PARTICIPLES[action]} item: the item with id '{item_id}' does not exist.",
                code=f"item_{action}_invalid_item_id",
                param="item_id",
            ) from None

    def add(self, item: Item, *, after: str | None = None) -> None:
        """Put an item after ``after`` (or at the end) and announce it.

        Raises ``ClientError`` when ``after`` is unknown or the id is taken.
        """
        if item.id == ROOT:
            raise ClientError(f"'{ROOT}' stands for the beginning and is no item", param="item.id")
        if item.id in self._items:
            raise id_taken(item.id)
        place = self._place_after(after)
        previous = self._order[place - 1] if place else None
        self._order.insert(place, item.id)
        self._keep(self._items, item)
        self._outbox.send(ItemCreated(previous_item_id=previous, item=item))
        if item.status != "in_progress":
            self._outbox.send(ItemDone(previous_item_id=previous, item=item))

    def finish(self, item: Item) -> None:
        """The final form of an item that was in progress, announced. An item deleted meanwhile stays deleted."""
        if item.id in self._items and self._items[item.id].status == "in_progress":
            self._keep(self._items, item)
            place = self._order.index(item.id)
            self._outbox.send(ItemDone(previous_item_id=self._order[place - 1] if place else None, item=item))

    def replace(self, item: Item) -> None:
        """A newer form of an item that is here or aside, not announced. An item deleted meanwhile stays deleted."""
        if item.id in self._items:
            self._keep(self._items, item)
        elif item.id in self._aside:
            self._keep(self._aside, item)

    def put_aside(self, item: Item) -> None:
        """Keep an item beside the history: the input of a response out of band."""
        self._keep(self._aside, item)

    def forget_aside(self, item_ids: Iterable[str]) -> None:
        """The response they were for is over. What is in the history stays."""
        for item_id in item_ids:
            if self._aside.pop(item_id, None) is not None:
                self.budget.forget(item_id)
                self._heard_ms.pop(item_id, None)

    def heard(self, item_id: str, ms: int) -> None:
        """So much audio of the user's is in this item, or more of it."""
        self._heard_ms[item_id] = self.heard_ms(item_id) + ms

    def heard_ms(self, item_id: str) -> int:
        """How much audio of the user's was heard for this item."""
        return self._heard_ms.get(item_id, 0)

    def called_aside(self, response_id: str, call_id: str) -> None:
        """A response out of band has called a function: it is no item here, and yet may be answered by one.

        So does the official client of the stateless endpoint, all of whose responses are out of band.
        """
        self._called_aside.add((response_id, call_id))

    def calls_aside(self, call_id: str | None) -> int:
        """How many calls of this id were made out of band."""
        return sum(known == call_id for _, known in self._called_aside)

    def find(self, item_id: str) -> Item | None:
        """An item of the history or aside."""
        return self._items.get(item_id) or self._aside.get(item_id)

    def delete(self, item_id: str) -> None:
        """Remove an item and announce it. Raises ``ClientError`` if there is none of this id."""
        self.get(item_id, "delete")
        del self._items[item_id]
        self.budget.forget(item_id)
        self._heard_ms.pop(item_id, None)
        self._order.remove(item_id)
        self._outbox.send(ItemDeleted(item_id=item_id))

    def _keep(self, items: dict[str, Item], item: Item) -> None:
        items[item.id] = item
        self.budget.keep(item.id, item_bytes(item))

    def _place_after(self, after: str | None) -> int:
        if after is None:
            return len(self._order)
        if after == ROOT:
            return 0
        if after not in self._items:
            raise ClientError(
                f"cannot find previous item '{after}'",
                code="item_create_invalid_previous_item_id",
                param="previous_item_id",
            )
        return self._order.index(after) + 1


def id_taken(item_id: str) -> ClientError:
    """What a client is told that gives a new item the id of another one, in OpenAI's words."""
    return ClientError(
        f"Error adding item: an item with id '{item_id}' already exists.",
        code="item_create_duplicate_item_id",
        param="item.id",
    )
