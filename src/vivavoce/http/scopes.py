"""Which part of a key's rights a path needs."""

from __future__ import annotations

import re

from vivavoce.errors import ClientError
from vivavoce.permissions import SCOPES, Key, Scope

_PREFIX = re.compile(r"^/(openai/deployments/[^/]+/|openai/)?(v1/)?")
"""Azure puts its own before the path."""

_SCOPES: tuple[tuple[str, Scope | None], ...] = (
    ("realtime/audio", "audio"),
    ("realtime/asr", "audio"),
    ("realtime", "realtime"),
    ("chat", "chat"),
    ("audio/models", None),
    ("audio/voices", "voices"),
    ("audio/system_voices", None),
    ("audio/voice_consents", "voices"),
    ("audio", "audio"),
    ("responses", "chat"),
    ("embeddings", "embeddings"),
    ("files", "files"),
    ("vector_stores", "vector_stores"),
    ("search", "search"),
    ("weights", "weights"),
    ("keys", "keys"),
    ("models", None),
    ("token", None),
    ("accounts", None),
)
"""Path → scope; the first that fits counts. ``None``: any key will do."""


def require_scope(key: Key, path: str) -> None:
    """Raises ``ClientError`` (``insufficient_scope``) when the key does not open this path.

    A path nobody has thought of needs a key that opens everything.
    """
    if not key.scopes:
        return
    scope = scope_of(path)
    if scope is not None and scope not in key.scopes:
        raise ClientError(
            f"This key opens {', '.join(sorted(key.scopes))} only.", code="insufficient_scope", type="permission_error"
        )


def plain_endpoint(path: str) -> str:
    """``path`` without what Azure and the version put before it: ``audio/speech``."""
    return _PREFIX.sub("", path)


def scope_of(path: str) -> str | None:
    """The scope a path needs: one of ``SCOPES``, ``None`` for any key, ``all`` for a path that is not in the table."""
    rest = plain_endpoint(path)
    for prefix, scope in _SCOPES:
        if rest == prefix or rest.startswith(f"{prefix}/"):
            return scope
    return "all"


assert set(SCOPES) == {scope for _, scope in _SCOPES if scope}
