"""What a request must show to be admitted, by its path: a key, unless it is listed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from vivavoce.http.scopes import plain_endpoint

Access: TypeAlias = Literal["public", "optional", "key", "secret"]
"""``public``: nothing is asked. ``optional``: a key is checked if there is one. ``key``: a key is needed. ``secret``: a key or
an ephemeral client secret is needed."""

_PUBLIC = frozenset({"/", "/health", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/favicon.svg"})
_PUBLIC_BELOW = ("/v1/audio/speech/files/", "/assets/")
"""A speech file's address contains a secret of its own; and what the console is made of."""

_OPTIONAL = frozenset({"audio/voices", "audio/models"})
"""Lists of what everybody has, which applications ask for without the key they have (Open WebUI)."""

_SECRETS = frozenset({"realtime", "realtime/stateless", "realtime/asr/stream"})
"""WebSockets only."""


def access_of(scope: Mapping[str, Any]) -> Access:
    """What the ASGI connection ``scope`` needs, its path being plain (see ``paths``). Unknown paths need a key."""
    path, reads = scope["path"], scope.get("method") in ("GET", "HEAD")
    if scope["type"] == "websocket":
        return "secret" if plain_endpoint(path) in _SECRETS else "key"
    if path in _PUBLIC or (reads and path.startswith(_PUBLIC_BELOW)):
        return "public"
    return "optional" if reads and plain_endpoint(path) in _OPTIONAL else "key"
