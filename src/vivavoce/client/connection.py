"""One websocket to a Realtime server, seen from the client."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

from vivavoce.client.errors import ConnectError
from vivavoce.client.events import ReceivedEvent

REALTIME_PATH = "/v1/realtime"
MAX_FRAME_BYTES = 22 * 1024 * 1024
"""One append may hold 15 MB of audio (Realtime reference 1.6): 20 MB as base64, plus its JSON."""

_SOCKET_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def realtime_url(base: str, *, model: str, marks: bool = False) -> str:
    """The URL to open for a server's base URL, or for a full one: query parameters already there win.

    Raises ``ConnectError`` when ``base`` is not a ws, wss, http or https URL.
    """
    parts = urlsplit(base)
    scheme = _SOCKET_SCHEMES.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise ConnectError(f"{base!r} is not a server's URL; it should look like ws://127.0.0.1:8080.")
    path = parts.path.rstrip("/")
    if path == "/v1":
        path = REALTIME_PATH
    query = {"model": model, **({"marks": "1"} if marks else {}), **dict(parse_qsl(parts.query))}
    return urlunsplit((scheme, parts.netloc, path or REALTIME_PATH, urlencode(query), ""))


def http_url(base: str) -> str:
    """Where the server at ``base`` answers HTTP: scheme, host and port. Raises ``ConnectError`` as ``realtime_url`` does."""
    parts = urlsplit(realtime_url(base, model=""))
    return urlunsplit((_HTTP_SCHEMES[parts.scheme], parts.netloc, "", "", ""))


def is_loopback_url(url: str) -> bool:
    """Whether this is a server of this machine, which no proxy leads to."""
    return urlsplit(url).hostname in _LOOPBACK


class RealtimeClient:
    """Sends client events and hands out server events in order. Made by ``connect``; one reader at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._sent_events = 0

    async def send(self, type: str, **fields: Any) -> str:
        """Send one event; returns its ``event_id``. Raises ``ConnectError`` when the server has closed."""
        self._sent_events += 1
        event_id = f"evt_c_{self._sent_events:06d}"
        try:
            await self._socket.send(json.dumps({"event_id": event_id, "type": type, **fields}))
        except ConnectionClosed as error:
            raise ConnectError(f"The server closed the conversation: {error}.") from error
        return event_id

    async def append(self, pcm16: bytes) -> None:
        """Add audio to the server's input buffer."""
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm16).decode("ascii"))

    async def update_session(self, session: Mapping[str, Any], *, timeout_s: float = 10.0) -> ReceivedEvent:
        """Change the session's settings and wait until the server has confirmed them.

        Raises ``ConnectError`` with the server's words when it refuses.
        """
        event_id = await self.send("session.update", session=dict(session))
        while True:
            event = await self.wait_for("session.updated", "error", timeout_s=timeout_s)
            if event.type == "session.updated":
                return event
            if event.nested("error").get("event_id") in (event_id, None):
                raise ConnectError(f"The server refused the session's settings: {event.error_message}.")

    async def receive(self, *, timeout_s: float | None = None) -> ReceivedEvent | None:
        """The next event, or ``None`` when none came within ``timeout_s``.

        Raises ``ConnectError`` when the conversation is over, or the server sent what is no event.
        """
        try:
            async with asyncio.timeout(timeout_s):
                frame = await self._socket.recv()
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise ConnectError(f"The server closed the conversation: {error}.") from error
        arrived_s = time.perf_counter()
        try:
            fields = json.loads(frame)
            return ReceivedEvent(fields["type"], arrived_s, fields)
        except (ValueError, TypeError, KeyError) as error:
            raise ConnectError(f"The server sent something that is not an event: {frame[:80]!r}.") from error

    async def wait_for(self, *types: str, timeout_s: float = 10.0) -> ReceivedEvent:
        """Skip events until one of these types. Raises ``ConnectError`` when it does not come in time."""
        deadline_s = time.perf_counter() + timeout_s
        while (left_s := deadline_s - time.perf_counter()) > 0:
            event = await self.receive(timeout_s=left_s)
            if event is not None and event.type in types:
                return event
        raise ConnectError(f"No {' or '.join(types)} came within {timeout_s:g} s.")


@asynccontextmanager
async def connect(
    url: str,
    *,
    model: str = "step-audio-2",
    api_key: str | None = None,
    tls: ssl.SSLContext | None = None,
    marks: bool = False,
    timeout_s: float = 10.0,
) -> AsyncIterator[RealtimeClient]:
    """Open a conversation and wait for ``session.created``; closes the socket at the end.

    ``tls`` says whom to trust (by default, whom the system trusts); ``marks`` asks the server for each turn's time marks.
    Raises ``ConnectError``.
    """
    target = realtime_url(url, model=model, marks=marks)
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else None
    try:
        socket = await open_socket(
            target,
            additional_headers=headers,
            compression=None,  # base64 audio hardly shrinks, and deflating it costs latency
            max_size=MAX_FRAME_BYTES,
            ssl=(tls or ssl.create_default_context()) if urlsplit(target).scheme == "wss" else None,
            open_timeout=timeout_s,
            ping_interval=20,
            ping_timeout=20,
            proxy=None if is_loopback_url(target) else True,
        )
    except InvalidStatus as error:
        raise refusal(target, error.response.status_code, bytes(error.response.body or b"")) from error
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise unreachable(target, error) from error
    async with socket:
        client = RealtimeClient(socket)
        await client.wait_for("session.created", timeout_s=timeout_s)
        yield client


def unreachable(target: str, error: Exception) -> ConnectError:
    """A connection that could not be made, with what to do about it where TLS is the reason."""
    reason = str(error) or type(error).__name__
    secure = urlsplit(target).scheme in ("wss", "https")
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        hint = " If it is a self-signed one that you trust, name its file: SSL_CERT_FILE=cert.pem."
    elif secure and "[SSL" in reason:
        hint = " Does that server have TLS? Without it the address begins with ws:// or http://."
    elif not secure and isinstance(error, InvalidMessage):
        hint = " Does that server have TLS? With it the address begins with wss:// or https://."
    else:
        hint = ""
    return ConnectError(f"Cannot reach {target}: {reason.rstrip('.')}.{hint}")


def refusal(target: str, status: int, body: bytes) -> ConnectError:
    """An answer that is none, in the server's own words where it has the documented error object."""
    reason = body.decode("utf-8", errors="replace").strip()
    try:
        reason = str(json.loads(reason)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        reason = reason[:300]
    hint = " Show a key with --api-key or VIVAVOCE_KEY." if status == HTTPStatus.UNAUTHORIZED else ""
    return ConnectError(
        f"{target} answered HTTP {status}{': ' + reason.rstrip('.') if reason else ''}.{hint}", status=status
    )
