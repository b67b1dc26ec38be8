"""How long a client may keep its request, or the answer to it, waiting: uvicorn itself waits for ever.

What a body may take is written in ``incoming``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_S = 10.0
"""A request's head must be there so long after its connection was made, or after its first byte on one that was in use."""

STALLED_S = 60.0
"""A client that reads nothing of what is sent to it for so long is gone."""

_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def short_handshakes(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """TLS servers made within the block end a handshake that is not over within ``HEAD_S``; asyncio waits a minute.

    uvicorn has no setting for it, and makes its servers itself.
    """
    loop.create_server = partial(loop.create_server, ssl_handshake_timeout=HEAD_S)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del loop.create_server


class TimeoutH11Protocol(H11Protocol):
    """uvicorn's HTTP protocol, whose patience has an end."""

    _head_due: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its first request's head is due."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Something of a request. Of the next request on a connection the head is due once it has begun."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        else:
            self._forget_head()

    def send_400_response(self, msg: str) -> None:
        """The client does not speak HTTP. Nothing can be said to one that is being answered, or has been."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on the connection is the WebSocket server's. It takes shorter lines and fewer of them, and says nothing
        when there are more: the client would wait for ever, and the connection count for as long.
        """
        super().handle_websocket_upgrade(event)
        upgraded = self.transport.get_protocol()
        if isinstance(upgraded, WebSocketsSansIOProtocol) and not upgraded.handshake_initiated:
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()

    def pause_writing(self) -> None:
        """The client does not keep up with reading."""
        super().pause_writing()
        self._stalled = self._stalled or self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._forget_stall()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._forget_head()
        self._forget_stall()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head_due = self._head_due or self.loop.call_later(HEAD_S, self.transport.abort)

    def _forget_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
