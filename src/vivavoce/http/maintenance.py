"""What a server does by itself: end the conversations of keys that are over, delete what nobody needs any more, see whether a
disk that was full has room again, and give memory back that is free."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from vivavoce.errors import StoreFullError
from vivavoce.http.core import Core
from vivavoce.native_memory import trim

log = logging.getLogger(__name__)

KEYS_EVERY_S = 1.0
"""A conversation outlives its key by no more than this."""

OWNERS_EVERY_S = 30.0
"""An owner whose only key is over counts as another one for no longer; a new one counts as soon as they come in."""

SWEEP_EVERY_S = 600.0
DISK_SPACE_EVERY_S = 2.0
TRIM_EVERY_S = 60.0


def start_maintenance(core: Core) -> None:
    """Begin, for as long as the server runs. The store must be open."""

    async def follow_keys() -> bool:
        await _end_conversations_of_expired_keys(core)
        return False

    async def follow_owners() -> bool:
        core.owners.created(await core.keys.owners())
        return False

    async def sweep() -> bool:
        await core.files.sweep()
        await core.store.blobs.sweep()
        return False

    async def check_disk_space() -> bool:
        if core.store.database.disk_space.full:
            with suppress(StoreFullError):  # which readiness tells
                await core.store.blobs.probe_disk_space()
        return False

    async def trim_memory() -> bool:
        if not core.conversation_slots.taken:  # nobody is to wait for an allocation
            await asyncio.to_thread(trim)
        return False

    core.supervisor.start("keys", follow_keys, idle_s=KEYS_EVERY_S)
    core.supervisor.start("owners", follow_owners, idle_s=OWNERS_EVERY_S)
    core.supervisor.start("sweep", sweep, idle_s=SWEEP_EVERY_S)
    core.supervisor.start("room", check_disk_space, idle_s=DISK_SPACE_EVERY_S)
    core.supervisor.start("memory", trim_memory, idle_s=TRIM_EVERY_S)


async def _end_conversations_of_expired_keys(core: Core) -> None:
    open_keys = core.key_use.open
    if not open_keys:
        return
    expired = open_keys - await core.keys.still_valid(open_keys)
    if expired:
        log.info("ending the conversations of keys that are over: %s", ", ".join(sorted(expired)))
        core.key_use.end_sessions(expired)
