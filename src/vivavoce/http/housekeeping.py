"""What a server does by itself: end the conversations of keys that are over, delete what nobody needs any more, and see
whether a disk that was full has room again."""

from __future__ import annotations

import logging
from contextlib import suppress

from vivavoce.errors import StoreFullError
from vivavoce.http.serving import Serving

log = logging.getLogger(__name__)

KEYS_EVERY_S = 1.0
"""A conversation outlives its key by no more than this."""

OWNERS_EVERY_S = 30.0
"""An owner whose only key is over counts as another one for no longer; a new one counts as soon as they come in."""

SWEEP_EVERY_S = 600.0
ROOM_EVERY_S = 2.0


def start_housekeeping(serving: Serving) -> None:
    """Begin, for as long as the server runs. The store must be open."""

    async def follow_keys() -> bool:
        await _end_calls_of_keys_that_are_over(serving)
        return False

    async def follow_owners() -> bool:
        serving.owners.created(await serving.keys.owners())
        return False

    async def sweep() -> bool:
        await serving.files.sweep()
        await serving.store.blobs.sweep()
        return False

    async def look_for_room() -> bool:
        if serving.store.database.room.full:
            with suppress(StoreFullError):  # which readiness tells
                await serving.store.blobs.regain_room()
        return False

    serving.supervisor.start("keys", follow_keys, idle_s=KEYS_EVERY_S)
    serving.supervisor.start("owners", follow_owners, idle_s=OWNERS_EVERY_S)
    serving.supervisor.start("sweep", sweep, idle_s=SWEEP_EVERY_S)
    serving.supervisor.start("room", look_for_room, idle_s=ROOM_EVERY_S)


async def _end_calls_of_keys_that_are_over(serving: Serving) -> None:
    open_keys = serving.key_use.open
    if not open_keys:
        return
    over = open_keys - await serving.keys.still_valid(open_keys)
    if over:
        log.info("ending the conversations of keys that are over: %s", ", ".join(sorted(over)))
        serving.key_use.end_sessions(over)
