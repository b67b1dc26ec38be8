"""What the other side of one connection has of the conversation, and what it takes to make it the same as ours. Pure.

Items are named there by ids of its own, which it tells when it has taken them (StepFun's gives each a new id, whatever a client
says). Those it makes itself are told apart by the response of ours they were made in.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from vivavoce.hosted import HistoryCall, HistoryEntry, HistoryMessage, HistoryOutput


@dataclass(slots=True, eq=False)
class FarItem:
    """An item of the other side's. ``id`` is ``None`` until it is told; ``key`` is that of the entry it tells.

    ``response_id`` (ours) is that of the response it was made in; then ``key`` is empty, unless it is a call.
    ``audio_ms`` is how long it speaks, ``content_index`` where. ``void``: nobody has heard it. ``uncut``: the other side would
    not cut it, so it says more than was heard.
    """

    key: str
    type: str
    role: str | None
    id: str | None = None
    response_id: str | None = None
    audio_ms: float = 0.0
    content_index: int = 0
    void: bool = False
    uncut: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Have an item deleted."""

    item: FarItem


@dataclass(frozen=True, slots=True)
class Create:
    """Tell an entry: at the end, unless something is to follow it (``between``); then behind ``after`` (``None``: first)."""

    entry: HistoryEntry
    after: FarItem | None = None
    between: bool = False


Step: TypeAlias = Delete | Create


@dataclass(slots=True)
class Mirror:
    """The other side's items, in order."""

    items: list[FarItem] = field(default_factory=list)

    def by_id(self, item_id: str) -> FarItem | None:
        """The item of this id."""
        return next((item for item in self.items if item.id == item_id), None)

    def by_key(self, key: str) -> FarItem | None:
        """The item that tells this entry."""
        return next((item for item in self.items if item.key == key), None)

    def add(self, item: FarItem, after: FarItem | None = None, *, between: bool = False) -> None:
        """An item is there, or on its way."""
        if not between:
            self.items.append(item)
        else:
            self.items.insert(0 if after is None else self.items.index(after) + 1, item)

    def spoken_in(self, response_id: str) -> list[FarItem]:
        """The messages that were said in a response of ours."""
        return [item for item in self.items if item.response_id == response_id and item.type == "message"]

    def steps(self, history: Sequence[HistoryEntry], response_id: str | None = None) -> list[Step]:
        """What makes these items tell ``history``, in order; the caller keeps ``items`` in step.

        ``response_id`` is of a response that goes on: what was said in it stays, though ``history`` does not tell it yet.
        """
        wanted = {entry.key for entry in history}
        responses = {entry.response_id for entry in history if isinstance(entry, HistoryMessage)}
        responses = (responses | {response_id}) - {None}
        kept = [item for item in self.items if _is_kept(item, wanted, responses)]
        steps: list[Step] = [Delete(item) for item in self.items if item not in kept]
        reached = -1
        for entry in history:
            there = [at for at, item in enumerate(kept) if _tells(item, entry)]
            if there:
                reached = max(reached, there[-1])
            else:
                steps.append(Create(entry, kept[reached] if reached >= 0 else None, between=reached < len(kept) - 1))
        return steps


def _is_kept(item: FarItem, wanted: Container[str], responses: Container[str | None]) -> bool:
    if item.void or item.uncut:
        return False
    return item.key in wanted if item.key else item.response_id in responses


def _tells(item: FarItem, entry: HistoryEntry) -> bool:
    match entry:
        case HistoryMessage(key=key, response_id=response_id):
            return item.key == key or (not item.key and response_id is not None and item.response_id == response_id)
        case HistoryCall() | HistoryOutput():
            return item.key == entry.key


def calls_known(mirror: Mirror) -> set[str]:
    """The ids of calls the other side knows of."""
    return {item.key.removeprefix("call:") for item in mirror.items if item.key.startswith("call:")}
