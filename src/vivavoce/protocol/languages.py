"""The language a client says is spoken."""

from __future__ import annotations

from vivavoce.errors import ClientError
from vivavoce.text.language_codes import language_code
from vivavoce.types import Language

DETECTED = ("", "auto", "detect", "multi", "und")
"""What clients of several platforms send when the language is to be found out."""


def requested_language(given: str | None, param: str = "language") -> Language | None:
    """The code of the language a client names; ``None`` when it is to be found out. Raises ``ClientError`` for others."""
    if given is None or given.strip().lower() in DETECTED:
        return None
    code = language_code(given)
    if code is None:
        raise ClientError(
            "The language is not known: a tag such as 'en' or 'zh-CN', its name, or 'auto' is wanted.",
            param=param,
        )
    return code
