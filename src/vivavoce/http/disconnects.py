"""Work that ends with its client: whoever hangs up is no longer worked for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives. Raises ``ClientDisconnect`` when the client has gone; then ``work`` has been cancelled and is over.

    The body of ``request`` must have been read.
    """
    working = asyncio.ensure_future(work)
    going = asyncio.ensure_future(gone(request.receive))
    try:
        await asyncio.wait({working, going}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        await ended(going, working)


async def gone(receive: Receive) -> None:
    """Until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks that are not done, and wait until they are."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
