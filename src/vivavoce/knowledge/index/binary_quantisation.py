"""Finds likely passages among very many in about 2 ms: by the signs of their vectors.

A vector is moved by the centre of all texts (vectors of such models share most of their direction, whatever the text
says), rotated into twice its dimensions, and of each only the sign is kept: 768 bits for 384 numbers. Passages whose signs
differ least from the question's are looked at exactly afterwards. Up to ``CANDIDATES`` passages that is all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Vectors

CANDIDATES = 2048
WORD_BITS = 64
MAX_BITS = 2048


@lru_cache(maxsize=1)
def _rotation(dimensions: int) -> Vectors:
    """``float32[dimensions, bits]``, always the same."""
    random = np.random.default_rng(0)
    if 2 * dimensions > MAX_BITS:
        # So many random directions are as good as at right angles; to make them so would take a minute.
        rotation = random.standard_normal((dimensions, MAX_BITS), np.float32)
    else:
        rotations = [np.linalg.qr(random.standard_normal((dimensions, dimensions)))[0] for _ in range(2)]
        rotation = np.concatenate(rotations, axis=1).astype(np.float32)
    rotation.setflags(write=False)
    return rotation[:, : rotation.shape[1] // WORD_BITS * WORD_BITS]


@dataclass(frozen=True, slots=True)
class BinaryQuantizer:
    """Makes sketches of vectors of one model. ``centre`` is ``float32[d]``, ``rotation`` is ``float32[d, bits]``."""

    centre: Vectors
    rotation: Vectors

    @classmethod
    def from_examples(cls, examples: Vectors) -> BinaryQuantizer:
        """One for a model that says ``examples`` of some texts: the more different they are, the better."""
        return cls(examples.mean(axis=0), _rotation(examples.shape[1]))

    def sketch(self, vectors: Vectors) -> NDArray[np.uint64]:
        """``uint64[n, words]`` of ``float32[n, d]``."""
        signs = (vectors - self.centre) @ self.rotation > 0
        return np.ascontiguousarray(np.packbits(signs, axis=1)).view(np.uint64)


class QuantizedVectors:
    """The sketches of one store, with the ids of their passages and the numbers of their documents."""

    def __init__(self, ids: NDArray[np.int64], documents: NDArray[np.int64], sketches: NDArray[np.uint64]) -> None:
        """``ids`` and ``documents`` are ``int64[n]``, ``sketches`` is ``uint64[n, words]``."""
        self.ids = ids
        self._documents = documents
        # A column a row: counting goes through memory in one direction, seven times as fast.
        self._columns = np.ascontiguousarray(sketches.T)

    @classmethod
    def from_rows(cls, rows: Sequence[Any], quantizer: BinaryQuantizer) -> QuantizedVectors:
        """Made of rows of an index: the passage's id, its document's number, its sketch."""
        ids, documents = (np.fromiter((row[column] for row in rows), np.int64, len(rows)) for column in (0, 1))
        words = quantizer.rotation.shape[1] // WORD_BITS
        return cls(ids, documents, np.frombuffer(b"".join(row[2] for row in rows), np.uint64).reshape(len(rows), words))

    @property
    def bytes(self) -> int:
        """What they take of the memory."""
        return self.ids.nbytes + self._documents.nbytes + self._columns.nbytes

    def nearest_candidates(
        self, sketch: NDArray[np.uint64], documents: Sequence[int] | None = None, limit: int = CANDIDATES
    ) -> Sequence[int]:
        """The ids of the passages that differ least from ``uint64[words]``, in no order; with ``documents``, of these only."""
        ids, columns = self.ids, self._columns
        if documents is not None:
            selected = np.isin(self._documents, np.array(documents, np.int64))
            ids, columns = ids[selected], columns[:, selected]
        if len(ids) <= limit:
            all_ids: list[int] = ids.tolist()
            return all_ids
        differing = np.zeros(len(ids), np.uint16)
        for column, word in zip(columns, sketch, strict=True):
            differing += np.bitwise_count(column ^ word)
        nearest: list[int] = ids[np.argpartition(differing, limit)[:limit]].tolist()
        return nearest
