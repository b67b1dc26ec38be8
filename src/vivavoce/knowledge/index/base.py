"""What an index can do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from vivavoce.knowledge.passages import Passage
from vivavoce.types import Vectors


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One file in one vector store."""

    store_id: str
    file_id: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage one of the two searches found. ``similarity`` is the cosine to the question, for those found by meaning and
    for those found by words alike."""

    id: int
    file_id: str
    passage: Passage
    similarity: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """What both searches found, each best first, as indices into ``passages``."""

    passages: Sequence[Candidate]
    by_meaning: Sequence[int]
    by_words: Sequence[int]


class PassageIndex(Protocol):
    """Passages of documents, searched by meaning and by words. A document is found whole or not at all."""

    async def open(self) -> bool:
        """Open it; whether all is to be read in again, because it is new or of another embedder. Raises ``StoreError``."""

    async def begin(self, document: IndexedFile) -> int:
        """Passages of this document follow; what there was of it is forgotten. The number tells this beginning from others:
        who began before somebody else did puts nothing more in."""

    async def add(self, number: int, passages: Sequence[Passage], vectors: Vectors) -> None:
        """More passages of a document that was begun; nothing happens when it was forgotten, or begun again, meanwhile."""

    async def finish(self, number: int) -> bool:
        """All its passages are there: from now on they are found. Whether it still is what was begun."""

    async def abandon(self, number: int) -> None:
        """Delete what was begun, and nothing of what others began since."""

    async def forget(self, documents: Collection[IndexedFile]) -> None:
        """Delete documents: rows, vectors and words. Those that are not there are no mistake."""

    async def forget_store(self, store_id: str) -> None:
        """Delete all documents of a store."""

    async def documents(self) -> set[IndexedFile]:
        """All there are, begun ones too."""

    async def count(self, document: IndexedFile) -> int:
        """How many passages a document has."""

    async def passages(self, document: IndexedFile) -> list[Passage]:
        """The passages of a finished document in their order."""

    async def search(
        self, store_id: str, vector: Vectors, terms: Sequence[str], limit: int, files: Collection[str] | None = None
    ) -> Candidates:
        """The best of a store, at most ``limit`` by meaning and as many by words; with ``files``, of these only.

        ``vector`` is ``float32[d]``.
        """

    async def close(self) -> None:
        """Close files and connections."""
