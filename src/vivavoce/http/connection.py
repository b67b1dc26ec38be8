"""A WebSocket as a conversation sees it: frames in and out, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect

from vivavoce.runtime.connections import RealtimeConnection

CLIENT_CLOSE_CODES = (1000, 1005)
"""Close codes of a client that hangs up (1005: without saying why). Any other way to go is a broken connection."""

CLOSE_WITHIN_S = 2.0
"""How long a client that has stopped reading may keep its closing waiting."""

_GONE = (WebSocketDisconnect, RuntimeError)
"""Uvicorn raises ``RuntimeError`` when the client vanished so early in the upgrade that it was never told of it."""


class SocketConnection:
    """One WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.closed_by_client = False

    async def accept(self, subprotocol: str | None = None) -> None:
        """Complete the upgrade."""
        await self._socket.accept(subprotocol)

    async def frames(self) -> AsyncIterator[str | bytes]:
        """The client's frames, text and binary alike, until it closes or vanishes."""
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            text = message.get("text")
            yield text if text is not None else bytes(message["bytes"])
            await asyncio.sleep(0)  # while frames wait, receiving another one lets nobody else do anything
        # Uvicorn says 1005 of a connection that is lost as well; but only a close frame has a reason, be it empty.
        self.closed_by_client = message.get("code") in CLIENT_CLOSE_CODES and message.get("reason") is not None

    async def send(self, frame: str) -> None:
        """Send a text frame; waits while the client does not read. Raises ``ConnectionError`` when it is gone."""
        try:
            await self._socket.send_text(frame)
        except _GONE as gone:
            raise ConnectionError("the client is gone") from gone

    async def close(self, code: int, reason: str = "") -> None:
        """Close the socket, unless the client is gone or does not read."""
        with suppress(*_GONE, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._socket.close(code, reason)


async def converse(
    conversation: RealtimeConnection,
    connection: SocketConnection,
    *,
    subprotocol: str | None = None,
    resumed: bool = False,
) -> None:
    """Complete the upgrade, and talk over the socket to its end.

    A client that vanishes before that ends its new conversation; a ``resumed`` one may be resumed once more.
    """
    try:
        await connection.accept(subprotocol)
    except BaseException:
        (conversation.await_resume if resumed else conversation.driver.end)()
        raise
    await conversation.serve(connection)
