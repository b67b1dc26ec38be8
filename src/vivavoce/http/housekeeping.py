"""What a server does by itself: end the conversations of keys that are over, and delete what nobody needs any more."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from vivavoce.errors import VivavoceError
from vivavoce.http.serving import Serving

log = logging.getLogger(__name__)

KEYS_EVERY_S = 1.0
"""A conversation outlives its key by no more than this."""

SWEEP_EVERY_S = 600.0


async def keep_house(serving: Serving) -> None:
    """Until cancelled. A store that does not answer is logged, and asked again."""
    sweep_at = monotonic()
    while True:
        await asyncio.sleep(KEYS_EVERY_S)
        try:
            await _end_calls_of_keys_that_are_over(serving)
            serving.owners.created(await serving.keys.owners())
            if monotonic() >= sweep_at:
                sweep_at = monotonic() + SWEEP_EVERY_S
                await serving.files.sweep()
                await serving.store.blobs.sweep()
        except (VivavoceError, SQLAlchemyError, OSError):
            log.exception("the store does not answer")


async def _end_calls_of_keys_that_are_over(serving: Serving) -> None:
    open_keys = serving.key_use.open
    if not open_keys:
        return
    over = open_keys - await serving.keys.still_valid(open_keys)
    if over:
        log.info("ending the conversations of keys that are over: %s", ", ".join(sorted(over)))
        serving.key_use.end_sessions(over)
