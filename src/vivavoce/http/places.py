"""Who gets a place for a conversation, and who gives way to whom.

A conversation that has lost its client holds its place for the client to come back, and no longer than nobody else needs
it: it gives way as soon as there is no other place, one of the same owner's first, then the one that was lost first. So does,
after those, one whose client is there and has been silent for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vivavoce.errors import CapacityError, RateLimitError, ShareError
from vivavoce.http.serving import Serving
from vivavoce.runtime.seats import patiently
from vivavoce.store.rights import Key


@dataclass(frozen=True, slots=True)
class Place:
    """A seat, and the right of a key to one conversation more; ``give_back`` must be called once."""

    seat: int
    give_back: Callable[[], None]


async def conversation_place(serving: Serving, owner: str, key: Key | None, end: Callable[[], None]) -> Place:
    """A place for a conversation of ``owner``, which ``end`` ends should its key be revoked.

    Waits for a moment when there is none. Raises ``RateLimitError``, and ``ClientError`` while the server goes down.
    """

    def attempt() -> Place:
        try:
            serving.seats.require(owner)
        except CapacityError:
            # What one gives up who holds more than their part would be left for others, not taken.
            beyond = serving.owners.several() and not serving.seats.below_even_part(owner)
            serving.calls.give_way(owner, only_theirs=beyond)
            raise
        except ShareError:
            serving.calls.give_way(owner, only_theirs=True)
            raise
        try:
            over = serving.key_use.begin_session(key, end)
        except RateLimitError:
            serving.calls.give_way(owner, key_id=key.id if key is not None else None)
            raise
        seat = serving.seats.take(owner)

        def give_back() -> None:
            over()
            serving.seats.give_back(seat, owner)

        return Place(seat, give_back)

    place = await patiently(attempt, serving.vacancies, ending=lambda: serving.calls.ending)
    try:
        _ = serving.engines  # may have begun to go down meanwhile
    except BaseException:
        place.give_back()
        raise
    return place
