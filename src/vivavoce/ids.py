"""Ids of what clients are told of."""

from __future__ import annotations

import secrets


def random_id(prefix: str) -> str:
    """An id nobody can guess, e.g. ``msg_3fa9…``."""
    return f"{prefix}_{secrets.token_hex(12)}"
