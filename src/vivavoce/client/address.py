"""Where a server is, and what it takes to be let in."""

from __future__ import annotations

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server's base URL (ws, wss, http or https), the key to show, and whom to trust where it speaks TLS."""

    url: str
    api_key: str | None = None
    tls: ssl.SSLContext | None = None
