"""Which files a purpose takes: how large, and of which types, told by their first bytes and their name.

StepFun's purposes and limits are those of the platform reference (section 7); OpenAI's are mapped to what this server can
do with such a file. Types are known by name, and the content must not contradict it: a text renamed to ``.wav`` is refused.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import puremagic

from vivavoce.errors import ClientError

MIB = 1024 * 1024
HEAD_BYTES = 64 * 1024
"""How much of a file's beginning is looked at."""

Done = Literal["success", "processed"]


@dataclass(frozen=True, slots=True)
class FileType:
    """``magic`` are the extensions puremagic may give for such content; none means text."""

    content_type: str
    magic: frozenset[str] = frozenset()


def _type(content_type: str, *magic: str) -> FileType:
    return FileType(content_type, frozenset(magic))


_OOXML = "application/vnd.openxmlformats-officedocument"
_OLE = (".doc", ".xls", ".ppt", ".msi", ".msg")

DOCUMENTS: Mapping[str, FileType] = {
    "txt": _type("text/plain"),
    "md": _type("text/markdown"),
    "csv": _type("text/csv"),
    "html": _type("text/html"),
    "htm": _type("text/html"),
    "xml": _type("application/xml"),
    "pdf": _type("application/pdf", ".pdf"),
    "doc": _type("application/msword", *_OLE),
    "xls": _type("application/vnd.ms-excel", *_OLE),
    "ppt": _type("application/vnd.ms-powerpoint", *_OLE),
    "docx": _type(f"{_OOXML}.wordprocessingml.document", ".docx"),
    "xlsx": _type(f"{_OOXML}.spreadsheetml.sheet", ".xlsx"),
    "pptx": _type(f"{_OOXML}.presentationml.presentation", ".pptx"),
}
PICTURES: Mapping[str, FileType] = {
    "jpg": _type("image/jpeg", ".jpg", ".jpeg", ".jfif"),
    "jpeg": _type("image/jpeg", ".jpg", ".jpeg", ".jfif"),
    "png": _type("image/png", ".png"),
}
MEDIA: Mapping[str, FileType] = {
    **PICTURES,
    "webp": _type("image/webp", ".webp"),
    "gif": _type("image/gif", ".gif"),
    "mp4": _type("video/mp4", ".mp4", ".m4v", ".mov"),
    "mp3": _type("audio/mpeg", ".mp3", ".mpga"),
    "wav": _type("audio/wav", ".wav"),
    "flac": _type("audio/flac", ".flac"),
    "ogg": _type("audio/ogg", ".ogg", ".opus", ".oga"),
    "opus": _type("audio/ogg", ".ogg", ".opus", ".oga"),
    "m4a": _type("audio/mp4", ".m4a", ".mp4", ".f4a"),
    "webm": _type("video/webm", ".webm", ".mkv"),
}
_DATA: Mapping[str, FileType] = {"json": _type("application/json"), "jsonl": _type("application/jsonl")}


@dataclass(frozen=True, slots=True)
class Purpose:
    """What files of a purpose may be. ``done`` is the status of one that can be used; ``extracts``: its text is wanted.

    StepFun's clients wait for ``success``, OpenAI's for ``processed``; each gets what it waits for.
    """

    name: str
    types: Mapping[str, FileType]
    max_bytes: int
    done: Done = "success"
    extracts: bool = False

    def check(self, filename: str, head: bytes) -> str:
        """The file's content type. Raises ``ClientError`` when the name or the content does not fit."""
        extension = filename.rpartition(".")[2].lower()
        file_type = self.types.get(extension)
        if file_type is None:
            raise ClientError(
                f"Files for '{self.name}' end in {', '.join(self.types)}; this one is called otherwise.",
                code="unsupported_file_type",
                param="file",
            )
        if not head:
            raise ClientError("The file is empty.", code="empty_file", param="file")
        matches = _is_text(head) if not file_type.magic else bool(file_type.magic & _magic(head))
        if not matches:
            raise ClientError(
                f"The content of the file is not what '.{extension}' stands for.",
                code="unsupported_file_type",
                param="file",
            )
        return file_type.content_type


PURPOSES: Mapping[str, Purpose] = {
    purpose.name: purpose
    for purpose in (
        Purpose("file-extract", DOCUMENTS, 64 * MIB, extracts=True),
        Purpose("retrieval-text", DOCUMENTS, 64 * MIB),
        Purpose("retrieval", DOCUMENTS, 64 * MIB),  # retired by the platform, but its guide still uses it
        Purpose("retrieval-image", PICTURES, 64 * MIB),
        Purpose("storage", MEDIA, 128 * MIB),
        Purpose("assistants", {**DOCUMENTS, **_DATA, **MEDIA}, 128 * MIB, "processed"),
        Purpose("user_data", {**DOCUMENTS, **_DATA, **MEDIA}, 128 * MIB, "processed"),
        Purpose(
            "vision",
            {extension: MEDIA[extension] for extension in ("jpg", "jpeg", "png", "webp", "gif")},
            128 * MIB,
            "processed",
        ),
    )
}
"""OpenAI's ``batch``, ``fine-tune`` and ``evals`` are not there: nothing here could use such a file."""

MAX_BYTES = max(purpose.max_bytes for purpose in PURPOSES.values())


def purpose_of(name: str) -> Purpose:
    """The purpose of this name. Raises ``ClientError`` naming those there are."""
    if name not in PURPOSES:
        raise ClientError(f"'purpose' must be one of {', '.join(PURPOSES)}.", param="purpose")
    return PURPOSES[name]


def _magic(head: bytes) -> set[str]:
    """The extensions this content may have, none if it is not known."""
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE6 in (0xE2, 0xE4, 0xE6):
        return {".mp3"}  # the sync word of MPEG audio, of which puremagic knows some versions only
    try:
        return {match.extension for match in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return set()


def _is_text(head: bytes) -> bool:
    """Whether this is text of some encoding: no control characters, unless its mark says it is UTF-16 or UTF-32."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        return True
    return not any(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in head)
