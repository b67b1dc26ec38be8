"""The items of a conversation, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from vivavoce.errors import ClientError
from vivavoce.protocol.items import Item, ItemRole
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
        self._out_of_band: dict[str, Item] = {}
        self._input_audio_ms: dict[str, int] = {}
        self._out_of_band_calls: set[tuple[str, str]] = set()
        self._continued: dict[str, str] = {}
        self._response_ids: dict[str, str] = {}

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

    def last_words(self, role: ItemRole) -> str | None:
        """The words of the newest message of this role; ``None`` if there is none, or it has none."""
        for item_id in reversed(self._order):
            item = self._items[item_id]
            if item.role == role:
                return " ".join(filter(None, (part.words for part in item.parts))) or None
        return None

    @property
    def continued(self) -> Mapping[str, str]:
        """Items in which the user went on with what they had said in another one: by id, that one's id (``continue_turn``)."""
        return self._continued

    def continue_turn(self, item_id: str, before_id: str) -> None:
        """This item, or the one to come of this id, goes on with the user's item ``before_id``: they had not finished."""
        self._continued[item_id] = before_id

    def awaits_client_output(self) -> bool:
        """Whether the client has yet to answer a function call, or whether one may be made."""
        unanswered: set[object] = set()
        for item in self:
            if item.type == "function_call" and item.status == "completed":
                unanswered.add(item.call_id)
            elif item.type == "mcp_approval_request":
                unanswered.add(item.id)
            elif item.type == "function_call_output":
                unanswered.discard(item.call_id)
            elif item.type == "mcp_approval_response":
                unanswered.discard(item.approval_request_id)
        return bool(unanswered)

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

    def response_of(self, item_id: str) -> str | None:
        """The response an item was made in, if it was made in one."""
        return self._response_ids.get(item_id)

    def add(self, item: Item, *, after: str | None = None, response_id: str | None = None) -> None:
        """Put an item after ``after`` (or at the end) and announce it; ``response_id``: of the response it is made in.

        Raises ``ClientError`` when ``after`` is unknown or the id is taken.
        """
        if item.id == ROOT:
            raise ClientError(f"'{ROOT}' stands for the beginning and is no item", param="item.id")
        if item.id in self._items:
            raise id_taken(item.id)
        place = self._place_after(after)
        previous = self._order[place - 1] if place else None
        self._order.insert(place, item.id)
        if response_id is not None:
            self._response_ids[item.id] = response_id
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
        """A newer form of an item that is here or out of band, not announced. An item deleted meanwhile stays deleted."""
        if item.id in self._items:
            self._keep(self._items, item)
        elif item.id in self._out_of_band:
            self._keep(self._out_of_band, item)

    def add_out_of_band(self, item: Item) -> None:
        """Keep an item beside the history: the input of a response out of band."""
        self._keep(self._out_of_band, item)

    def forget_out_of_band(self, item_ids: Iterable[str]) -> None:
        """The response they were for is over. What is in the history stays."""
        for item_id in item_ids:
            if self._out_of_band.pop(item_id, None) is not None:
                self.budget.forget(item_id)
                self._input_audio_ms.pop(item_id, None)

    def add_input_audio(self, item_id: str, ms: int) -> None:
        """So much audio of the user's is in this item, or more of it."""
        self._input_audio_ms[item_id] = self.input_audio_ms(item_id) + ms

    def input_audio_ms(self, item_id: str) -> int:
        """How much audio of the user's was heard for this item."""
        return self._input_audio_ms.get(item_id, 0)

    def record_out_of_band_call(self, response_id: str, call_id: str) -> None:
        """A response out of band has called a function: it is no item here, and yet may be answered by one.

        So does the official client of the stateless endpoint, all of whose responses are out of band.
        """
        self._out_of_band_calls.add((response_id, call_id))

    def count_out_of_band_calls(self, call_id: str | None) -> int:
        """How many calls of this id were made out of band."""
        return sum(recorded_id == call_id for _, recorded_id in self._out_of_band_calls)

    def find(self, item_id: str) -> Item | None:
        """An item of the history, or out of band."""
        return self._items.get(item_id) or self._out_of_band.get(item_id)

    def delete(self, item_id: str) -> None:
        """Remove an item and announce it. Raises ``ClientError`` if there is none of this id."""
        self.get(item_id, "delete")
        del self._items[item_id]
        self.budget.forget(item_id)
        self._input_audio_ms.pop(item_id, None)
        self._continued.pop(item_id, None)
        self._response_ids.pop(item_id, None)
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
