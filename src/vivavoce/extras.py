"""The extras of this package: features whose libraries are installed only where they are wanted.

A module that needs such a library imports it at its top, and is imported only where the feature is used; before that, whoever
configures the feature or asks for it is told here what to install.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Literal, TypeAlias

from vivavoce.errors import ClientError

Extra: TypeAlias = Literal["audio", "cloning", "hearing", "knowledge", "mcp", "postgres", "search", "token2wav"]

MODULES: Mapping[Extra, tuple[str, ...]] = {
    "audio": ("sounddevice",),
    "cloning": ("cma", "sherpa_onnx"),
    "hearing": ("sherpa_onnx",),
    "knowledge": (
        "apsw",
        "charset_normalizer",
        "docx",
        "lxml",
        "markdown_it",
        "pptx",
        "pypdfium2",
        "python_calamine",
        "sqlite_vec",
    ),
    "mcp": ("mcp",),
    "postgres": ("asyncpg",),
    "search": ("ddgs", "trafilatura"),
    "token2wav": ("torch", "yaml"),
}
"""What each extra of ``pyproject.toml`` installs, by the names that are imported."""


@cache
def installed(extra: Extra) -> bool:
    """Whether all libraries of an extra are there. Nothing is imported."""
    return all(find_spec(module) is not None for module in MODULES[extra])


def install_hint(extra: Extra, what: str) -> str:
    """A sentence on what to install for ``what``."""
    return f"More packages are needed for {what}: pip install 'vivavoce[{extra}]'."


def missing_extra(extra: Extra, what: str) -> str | None:
    """A sentence on what to install for ``what``; ``None`` when it is there."""
    return None if installed(extra) else install_hint(extra, what)


def require_extra(extra: Extra, what: str, param: str | None = None) -> None:
    """Raises ``ClientError`` (``not_installed``) when a client asks for ``what`` and the server has no libraries for it."""
    if missing := missing_extra(extra, what):
        raise ClientError(missing, code="not_installed", param=param, type="server_error")
