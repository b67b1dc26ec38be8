"""Connections as they are accepted: how many there may be, by address and in all.

They are counted before anything is read of them, so a TLS handshake that never ends, half a request and a WebSocket count
alike. One too many is closed at once; the client may try again.

They are read in small pieces: parsing what is cut into chunks or frames of a byte costs a thousand times what the bytes do,
and nobody else is served while a piece is parsed.
"""

from __future__ import annotations

import logging
import resource
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import Any

from vivavoce.http.local import is_loopback
from vivavoce.net.addresses import address_of

log = logging.getLogger(__name__)

OTHER_FILES = 256
"""Descriptors left for everything but clients: databases, models, tool servers, what is fetched."""

_REFUSED_AT_ONCE = 64

READ_BYTES = 4096
"""What is read of a connection at once. asyncio would read 256 KiB: over 40 000 chunks, or frames, of one byte."""


def raise_file_limit() -> int:
    """Let this process have as many open files as it may; says how many. Systems give few by default, for old programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:  # macOS says unlimited and means less
        log.debug("the limit of open files stays at %d: %s", soft, error)
        return soft
    return hard


class ConnectionLimiter:
    """Who is connected: at most ``limit`` in all, and ``most_each`` from one address.

    Addresses of this machine count only in all, since they may be a proxy's, and so do those of ``proxies`` (addresses and
    networks).
    """

    def __init__(self, limit: int, most_each: int, proxies: Sequence[str] = ()) -> None:
        self._proxies = [ip_network(proxy) for proxy in proxies]
        self.most = limit
        self._most_each = most_each
        self._by_address: Counter[str] = Counter()
        self.open = 0

    def admit(self, address: str) -> bool:
        """Whether one more may come from this address; then it counts until ``release``."""
        full = self._by_address[address] >= self._most_each and not self._speaks_for_others(address)
        if self.open >= self.most or full:
            if not self._by_address[address]:
                del self._by_address[address]
            return False
        self._by_address[address] += 1
        self.open += 1
        return True

    def _speaks_for_others(self, address: str) -> bool:
        if is_loopback(address):
            return True
        parsed = address_of(address)
        return parsed is not None and any(parsed in proxy for proxy in self._proxies)

    def release(self, address: str) -> None:
        """One from this address is gone."""
        self.open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class BoundedListener(socket.socket):
    """A listening TCP socket that accepts no more than ``connections`` has room for; the rest is closed."""

    connections: ConnectionLimiter | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection that is admitted. Raises as a socket does when there is none."""
        for _ in range(_REFUSED_AT_ONCE):
            accepted, address = super().accept()
            host = str(address[0])
            if self.connections is None or self.connections.admit(host):
                connection = _Accepted(fileno=accepted.detach())
                if self.connections is not None:
                    connection.when_closed = lambda host=host: self._release(host)
                return connection, address
            accepted.close()
            log.log(logging.DEBUG, "refused a connection from %s: too many are open", host)
        raise BlockingIOError  # the event loop asks again at once, and does other things meanwhile

    def _release(self, host: str) -> None:
        if self.connections is not None:
            self.connections.release(host)


class _Accepted(socket.socket):
    """An accepted connection, which is read in small pieces, and counted until it is closed."""

    when_closed: Callable[[], None] | None = None

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """The next ``READ_BYTES`` at most. Raises as a socket does."""
        return super().recv(min(bufsize, READ_BYTES), flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """The same, into a buffer (TLS is read this way)."""
        return super().recv_into(buffer, min(nbytes or len(buffer), READ_BYTES), flags)

    def close(self) -> None:
        """Close it, once."""
        super().close()
        if self.when_closed is not None:
            released, self.when_closed = self.when_closed, None
            released()
