"""What a key may do: which doors it opens, and how much it may ask for. Words only; the keys themselves are in ``keys``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["realtime", "chat", "embeddings", "audio", "voices", "files", "vector_stores", "search"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may open; one without any of them named opens everything."""


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """How much a key may ask for; ``None`` is without a limit. ``sessions`` counts Realtime conversations at once."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    sessions: int | None = None


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
