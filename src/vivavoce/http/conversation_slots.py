"""Who gets a slot for a conversation, and who is evicted for it.

A conversation that has lost its client holds its slot for the client to come back, and no longer than nobody else needs
it: it is evicted as soon as there is no other slot, one of the same owner's first, then the one that was lost first. So does,
after those, one whose client is there and has been silent for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vivavoce.errors import CapacityError, RateLimitError, ShareError
from vivavoce.http.core import Core
from vivavoce.http.ongoing import server_stopping
from vivavoce.permissions import Key
from vivavoce.runtime.slots import take_when_free


@dataclass(frozen=True, slots=True)
class ConversationSlot:
    """A slot, and the right of a key to one conversation more; ``give_back`` must be called once."""

    slot: int
    give_back: Callable[[], None]


async def conversation_slot(core: Core, owner: str, key: Key | None, end: Callable[[], None]) -> ConversationSlot:
    """A slot for a conversation of ``owner``, which ``end`` ends should its key be revoked.

    Waits for a moment when there is none. Raises ``RateLimitError``, and ``ClientError`` while the server goes down.
    """

    def attempt() -> ConversationSlot:
        try:
            core.conversation_slots.require(owner)
        except CapacityError:
            # What one gives up who holds more than their part would be left for others, not taken.
            beyond = core.owners.multiple() and not core.conversation_slots.below_fair_share(owner)
            core.connections.evict_idle(owner, own_only=beyond)
            raise
        except ShareError:
            core.connections.evict_idle(owner, own_only=True)
            raise
        try:
            session_ended = core.key_use.begin_session(key, end)
        except RateLimitError:
            core.connections.evict_idle(owner, key_id=key.id if key is not None else None)
            raise
        slot = core.conversation_slots.take(owner)

        def give_back() -> None:
            session_ended()
            core.conversation_slots.give_back(slot, owner)

        return ConversationSlot(slot, give_back)

    slot = await take_when_free(attempt, core.slot_freed, ending=lambda: core.connections.ending)
    if core.connections.draining:  # since then
        slot.give_back()
        raise server_stopping()
    return slot
