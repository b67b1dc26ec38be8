"""What a key may do: which routes it opens, and how much it may ask for. Words only; the keys themselves are in ``keys``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from vivavoce.errors import ClientError

Scope = Literal[
    "realtime", "chat", "embeddings", "audio", "voices", "files", "vector_stores", "search", "weights", "keys"
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may open; one without any of them named opens everything."""


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """How much a key may ask for; ``None`` is without a limit. ``sessions`` counts Realtime conversations at once."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    sessions: int | None = None


Use = Literal["web_search", "retrieval", "own_voice"]
"""What can be used inside of a conversation or a request whose path says nothing of it."""

SCOPE_OF_USE: Mapping[Use, Scope] = {"web_search": "search", "retrieval": "vector_stores", "own_voice": "voices"}


def require_use(scopes: Collection[str], use: Use, param: str) -> None:
    """Raises ``ClientError`` (``insufficient_scope``) when a key with these scopes (none: all) does not open this."""
    if scopes and SCOPE_OF_USE[use] not in scopes:
        raise ClientError(
            f"This key opens {', '.join(sorted(scopes))} only, and not '{SCOPE_OF_USE[use]}'.",
            code="insufficient_scope",
            param=param,
            type="permission_error",
        )


CONFIGURED = "configured:"
"""What the id of a key begins with that the configuration names; its owner's name follows."""


@dataclass(frozen=True, slots=True)
class Key:
    """A valid key, without its secret. No ``scopes``: it opens everything."""

    id: str
    owner: str
    scopes: frozenset[str] = frozenset()
    limits: KeyLimits = KeyLimits()

    @property
    def configured(self) -> bool:
        """Whether the configuration names it: then it is no row of the store, and never revoked."""
        return self.id.startswith(CONFIGURED)
