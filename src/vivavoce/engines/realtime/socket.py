"""A WebSocket to a hosted Realtime API: opened within its time, JSON objects both ways, failures that name the engine only."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.errors import RemoteError, retry_after_s, status_error

log = logging.getLogger(__name__)

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Of one event of the other side's; audio comes in pieces of far less."""

PING_S = 20.0
"""StepFun's official clients ping as often: quiet connections are closed after some minutes."""

CLOSE_S = 1.0


class HostedSocket:
    """One connection. Made by ``open_socket``."""

    def __init__(self, socket: ClientConnection, client: RemoteClient) -> None:
        self._socket = socket
        self._client = client
        self.opened_at = monotonic()

    async def send(self, event: Mapping[str, Any]) -> None:
        """Say something. Raises ``RemoteError`` when the other side has hung up."""
        with self._failures():
            await self._socket.send(json.dumps(event))

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What the other side says. Raises ``RemoteError`` when it hangs up, or says what is no event."""
        while True:
            with self._failures():
                frame = await self._socket.recv()
            yield self._event(frame)

    async def close(self) -> None:
        """Hang up."""
        await self._socket.close()

    def _event(self, frame: str | bytes) -> dict[str, Any]:
        try:
            event = json.loads(frame)
            if isinstance(event, dict) and isinstance(event["type"], str):
                return event
        except (ValueError, KeyError):
            pass
        raise RemoteError(self._client.engine, "sent something that is no event", away=True, retriable=True)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except ConnectionClosed as closed:
            log.info("%s hung up: %s", self._client.engine, self._client.harmless(str(closed)))
            raise RemoteError(
                self._client.engine, "closed the connection", away=True, repeatable=True, retriable=True
            ) from closed


async def open_socket(client: RemoteClient, headers: Mapping[str, str]) -> HostedSocket:
    """Connect to ``/realtime`` of the client's settings.

    Raises ``RemoteError``: the other side cannot be reached, is left alone for a while, is late, or refuses.
    """
    if not client.breaker.admit(monotonic()):
        raise RemoteError(client.engine, f"is away: {client.breaker.failure}", retriable=True)
    try:
        socket = HostedSocket(await _connected(client, headers), client)
    except RemoteError as error:
        if error.away:
            client.breaker.failed(monotonic(), error.message)
        elif error.status is not None:
            client.breaker.succeeded()
        raise
    finally:
        client.breaker.abandoned()
    return socket


async def _connected(client: RemoteClient, headers: Mapping[str, str]) -> ClientConnection:
    settings = client.settings
    base = settings.url.rstrip("/").replace("http", "ws", 1)
    try:
        return await connect(
            f"{base}/realtime?{urlencode({'model': settings.model})}",
            additional_headers={**client.headers, **headers},
            compression=None,  # base64 audio hardly shrinks, and deflating it costs latency
            max_size=MAX_EVENT_BYTES,
            ssl=client.tls if base.startswith("wss") else None,
            open_timeout=settings.connect_s,
            close_timeout=CLOSE_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            proxy=settings.proxy or True,
        )
    except InvalidStatus as error:
        detail = client.harmless(bytes(error.response.body or b"").decode(errors="replace"))
        status = error.response.status_code
        log.warning("%s answered %d: %s", client.engine, status, detail[:500].strip() or "(nothing)")
        raise status_error(client.engine, status, detail, retry_after_s(error.response.headers)) from error
    except TimeoutError as error:
        raise RemoteError(client.engine, "did not accept the connection in time", away=True, retriable=True) from error
    except (OSError, InvalidHandshake, EOFError) as error:
        log.warning("%s: %s", client.engine, client.harmless(f"{type(error).__name__}: {error}"))
        raise RemoteError(client.engine, "cannot be reached", away=True, repeatable=True, retriable=True) from error
