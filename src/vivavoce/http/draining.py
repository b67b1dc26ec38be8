"""A web server that lets conversations come to a good end before it goes down.

Uvicorn closes WebSockets itself as soon as it shuts down (code 1012), in the middle of a word, and cancels answers later
without one. So everything is drained first: whoever wants to come in meanwhile is refused with 503, replies and answers in
progress are finished, and each WebSocket's client is told "going away" (1001), which means: connect again, here or elsewhere.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from types import FrameType

import uvicorn
from websockets.protocol import State
from websockets.server import ServerProtocol

from vivavoce.http.timeouts import short_handshakes


class DrainingServer(uvicorn.Server):
    """Uvicorn's server with our way to stop. ``drain`` lets what is in progress come to its end, within ``drain_s`` seconds."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[float], Awaitable[None]], *, drain_s: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._drain_s = drain_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. A start that has failed by then is over at once; uvicorn would leave everything open."""
        with short_handshakes(asyncio.get_running_loop()) if self.config.is_ssl else nullcontext():
            await super().startup(sockets)
        if self.should_exit and not self.lifespan.should_exit:
            await self.shutdown(sockets)

    async def main_loop(self) -> None:
        """Serve until told to stop, then drain."""
        await super().main_loop()
        await self._drain(self._drain_s)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections and end the application."""
        for connection in self.server_state.connections:
            protocol = getattr(connection, "conn", None)
            if isinstance(protocol, ServerProtocol) and protocol.state is State.CLOSING:
                # Its client is just closing it. Uvicorn would send a close of its own, which raises, and all that is still
                # to be closed would stay as it is.
                connection.close_sent = True  # type: ignore[union-attr]
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops the server in its own time, a second one at once."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        super().handle_exit(sig, frame)
