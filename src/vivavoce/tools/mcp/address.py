"""Where tool servers are, and the error for one that is not there. Known without the SDK, which comes with ``[mcp]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vivavoce.errors import VivavoceError


class McpServerError(VivavoceError):
    """A tool server cannot be reached, or does not keep to its protocol."""


@dataclass(frozen=True)
class McpServerAddress:
    """Where a tool server is: a URL (asked with ``headers``), or a command to start. ``own``: the operator named it."""

    url: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    folder: Path | None = None
    own: bool = False


def header_pairs(headers: Mapping[str, str], authorization: str | None) -> tuple[tuple[str, str], ...]:
    """A client's headers in a form that can be compared; a bare token becomes a bearer's."""
    pairs = dict(headers)
    if authorization is not None:
        pairs["Authorization"] = authorization if " " in authorization else f"Bearer {authorization}"
    return tuple(sorted(pairs.items()))
