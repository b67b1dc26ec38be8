"""The tensors of a TensorFlow checkpoint, read without TensorFlow.

A checkpoint is two files. ``variables.data-…`` is the tensors' bytes; ``variables.index`` says by name where each begins, as a
table of LevelDB's format: sorted keys in blocks, of which an index block at the end tells the places, and a footer where that
is. Values are ``BundleEntryProto`` messages (``tensorflow/core/protobuf/tensor_bundle.proto``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOOTER_BYTES = 48
MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FLOAT = 1
"""``DT_FLOAT``."""

_VARINT, _LENGTH, _FIXED32 = 0, 2, 5


class Checkpoint:
    """Opened once, read by name. Raises ``ValueError`` for what is no checkpoint."""

    def __init__(self, index: Path, data: Path) -> None:
        self._bytes = data.read_bytes()
        self._entries = dict(_entries(index.read_bytes()))

    def tensor(self, name: str) -> NDArray[np.float32]:
        """A ``float32`` tensor. Raises ``ValueError`` where there is none of this name."""
        entry = _Message(self._entries.get(name.encode(), b""))
        shape = [_Message(size).number(1) for size in _Message(entry.joined(2)).repeated(2)]
        if entry.number(1) != FLOAT or not shape:
            raise ValueError(f"the checkpoint has no numbers called {name}")
        start, count = entry.number(4), int(np.prod(shape))
        return np.frombuffer(self._bytes, "<f4", count, start).reshape(shape).astype(np.float32)


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All keys and values of a table."""
    if table[-len(MAGIC) :] != MAGIC:
        raise ValueError("the checkpoint's index is no table")
    places = table[-FOOTER_BYTES:]
    *_, start, size = (_varints(places, 4))[0]
    for _, place in _block(table, start, size):
        yield from _block(table, *_varints(place, 2)[0])


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; a key is told by how much it shares with the one before."""
    if table[start + size] != 0:
        raise ValueError("the checkpoint's index is packed")
    block = table[start : start + size]
    restarts = int.from_bytes(block[-4:], "little")
    end, at, key = len(block) - 4 * (restarts + 1), 0, b""
    while at < end:
        (shared, own, length), at = _varints(block, 3, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _varints(data: bytes, count: int, at: int = 0) -> tuple[list[int], int]:
    """So many numbers of seven bits a byte, and where the next thing begins."""
    numbers: list[int] = []
    for _ in range(count):
        number = shift = 0
        while data[at] & 0x80:
            number |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
        numbers.append(number | data[at] << shift)
        at += 1
    return numbers, at


class _Message:
    """A protobuf message by the numbers of its fields; what is left out of one is 0, or nothing."""

    def __init__(self, message: bytes) -> None:
        self._numbers: dict[int, int] = {}
        self._bytes: dict[int, list[bytes]] = {}
        at = 0
        while at < len(message):
            (tag,), at = _varints(message, 1, at)
            field, kind = tag >> 3, tag & 7
            if kind == _VARINT:
                (self._numbers[field],), at = _varints(message, 1, at)
            elif kind == _LENGTH:
                (length,), at = _varints(message, 1, at)
                self._bytes.setdefault(field, []).append(message[at : at + length])
                at += length
            elif kind == _FIXED32:
                at += 4  # a checksum; the file's own hash has been checked
            else:
                raise ValueError("the checkpoint's index has a field of an unknown kind")

    def number(self, field: int) -> int:
        return self._numbers.get(field, 0)

    def joined(self, field: int) -> bytes:
        return b"".join(self._bytes.get(field, ()))

    def repeated(self, field: int) -> Sequence[bytes]:
        return self._bytes.get(field, ())
