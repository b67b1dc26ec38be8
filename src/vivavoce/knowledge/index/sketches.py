"""Finds likely passages among very many in about 2 ms: by the signs of their vectors.

A vector is moved by the centre of all texts (vectors of such models share most of their direction, whatever the text
says), turned into twice its dimensions, and of each only the sign is kept: 768 bits for 384 numbers. Passages whose signs
differ least from the question's are looked at exactly afterwards. Up to ``CANDIDATES`` passages that is all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Vectors

CANDIDATES = 1024
WORD_BITS = 64


@dataclass(frozen=True, slots=True)
class Sketcher:
    """Makes sketches of vectors of one model. ``centre`` is ``float32[d]``, ``turn`` is ``float32[d, bits]``."""

    centre: Vectors
    turn: Vectors

    @classmethod
    def about(cls, examples: Vectors) -> Sketcher:
        """One for a model that says ``examples`` of some texts: the more different they are, the better."""
        dimensions = examples.shape[1]
        random = np.random.default_rng(0)
        turns = [np.linalg.qr(random.standard_normal((dimensions, dimensions)))[0] for _ in range(2)]
        turn = np.concatenate(turns, axis=1).astype(np.float32)
        whole_words = turn.shape[1] // WORD_BITS * WORD_BITS
        return cls(examples.mean(axis=0), turn[:, :whole_words])

    def sketch(self, vectors: Vectors) -> NDArray[np.uint64]:
        """``uint64[n, words]`` of ``float32[n, d]``."""
        signs = (vectors - self.centre) @ self.turn > 0
        return np.ascontiguousarray(np.packbits(signs, axis=1)).view(np.uint64)


class Sketches:
    """The sketches of one store, with the ids of their passages."""

    def __init__(self, ids: NDArray[np.int64], sketches: NDArray[np.uint64]) -> None:
        """``ids`` is ``int64[n]``, ``sketches`` is ``uint64[n, words]``."""
        self.ids = ids
        # A column a row: counting goes through memory in one direction, seven times as fast.
        self._columns = np.ascontiguousarray(sketches.T)

    @property
    def bytes(self) -> int:
        """What they take of the memory."""
        return self.ids.nbytes + self._columns.nbytes

    def likely(self, sketch: NDArray[np.uint64], most: int = CANDIDATES) -> Sequence[int]:
        """The ids of the passages that differ least from ``uint64[words]``, in no order."""
        if len(self.ids) <= most:
            every: list[int] = self.ids.tolist()
            return every
        differing = np.zeros(len(self.ids), np.uint16)
        for column, word in zip(self._columns, sketch, strict=True):
            differing += np.bitwise_count(column ^ word)
        found: list[int] = self.ids[np.argpartition(differing, most)[:most]].tolist()
        return found
