"""Work that ends with its client: whoever hangs up is no longer worked for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from vivavoce.waiting import first_of

T = TypeVar("T")


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives. Raises ``ClientDisconnect`` when the client has gone; then ``work`` has been cancelled and is over.

    The body of the request that is received from must have been read.
    """
    working, _ = await first_of(work, wait_for_disconnect(receive))
    if working.cancelled():
        raise ClientDisconnect
    result: T = working.result()
    return result


async def wait_for_disconnect(receive: Receive) -> None:
    """Until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def cancel_and_wait(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks that are not done, and wait until they are."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
