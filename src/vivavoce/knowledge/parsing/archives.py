"""Office files are zip archives: looked over before a library unpacks them."""

from __future__ import annotations

import io
import zipfile
from typing import BinaryIO

from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import MIB, ParsingLimits

MAX_MEMBERS = 20_000
MAX_COMPRESSION_RATIO = 200
"""Text packs about ten times, a large empty sheet about a hundred; a bomb packs a thousand times."""

RATIO_MATTERS_BYTES = 16 * MIB

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Old office files begin so, and new ones under a password."""


def check_archive(file: BinaryIO, limits: ParsingLimits) -> None:
    """Raises ``UnreadableError`` for what is no archive, has a password, or unpacks to too much. Leaves it at its beginning."""
    if file.read(len(OLE_MAGIC)) == OLE_MAGIC:
        raise UnreadableError("invalid_file", "The document is protected by a password, or of an older format.")
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableError("invalid_file", "The document is damaged: it cannot be unpacked.") from error
    unpacked, packed = sum(member.file_size for member in members), file.seek(0, io.SEEK_END)
    too_dense = unpacked > RATIO_MATTERS_BYTES and unpacked > MAX_COMPRESSION_RATIO * packed
    if unpacked > limits.unpacked_mb * MIB or too_dense or len(members) > MAX_MEMBERS:
        raise UnreadableError("invalid_file", "The document unpacks to far more than it is: it is refused.")
    if any(member.flag_bits & 0x1 for member in members):
        raise UnreadableError("invalid_file", "The document is protected by a password.")
    file.seek(0)
