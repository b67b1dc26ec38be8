"""Why a document cannot be read, in words for its owner."""

from __future__ import annotations

from typing import Literal, TypeAlias

from vivavoce.errors import VivavoceError

UnreadableCode: TypeAlias = Literal["unsupported_file", "invalid_file", "server_error"]


class UnreadableError(VivavoceError):
    """The document cannot be read. ``code`` is one of OpenAI's for ``last_error``; the message holds none of its text."""

    def __init__(self, code: UnreadableCode, message: str) -> None:
        super().__init__(message)
        self.code: UnreadableCode = code
        self.message = message
