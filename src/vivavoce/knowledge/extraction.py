"""The plain text of a document, for clients that want to read it themselves."""

from __future__ import annotations

from pathlib import Path

from vivavoce.errors import ClientError
from vivavoce.extras import require_extra
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.process import Parsers


async def text_of(parsers: Parsers, path: Path, extension: str, owner: str) -> str:
    """The whole text of a document of ``owner``.

    Raises ``ClientError`` when it cannot be read, holds more than is read of one, or nothing here reads documents.
    """
    require_extra("knowledge", "the text of documents", "purpose")
    try:
        document = await parsers.read_all(path, extension, owner)
    except UnreadableError as error:
        raise ClientError(error.message, code="unreadable_file", param="file") from error
    if document.truncated:
        raise ClientError("The document holds more text than is read of one.", code="unreadable_file", param="file")
    return document.text
