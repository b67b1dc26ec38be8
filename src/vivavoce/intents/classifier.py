"""Linear classifiers over a turn's embedding: some milliseconds beside the embedding, which a search needs anyhow.

A small language model cannot tell a request from a question about it; the embedder can, even in a language the classifiers
were not trained in (``heads/README.md`` has the figures). Trained by ``benchmarks/intents.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.base import Embedder
from vivavoce.types import EmbedOptions, Vectors

Intent: TypeAlias = Literal["act", "documents", "current", "status", "recall", "yes", "no"]
"""``act``: something is to be done now. ``documents``: the owner's documents may tell what is asked, how acting works included.
``current``: what is asked changes from day to day. ``status``: how something of the user's
own stands, which a function may look up. ``recall``: it was said, found or done earlier in the
conversation. ``yes`` and ``no``: an answer to "Shall I …?"."""

HEADS = Path(__file__).parent / "heads" / "intents.npz"
FEELING_HEADS = HEADS.with_name("feelings.npz")
"""What words tell of a feeling: see ``intents/feelings.py``."""


@dataclass(frozen=True, slots=True)
class IntentHeads:
    """One row of ``weights`` (``float32[intents, d]``) and a bias an intent, for sentences embedded by ``network``."""

    network: str
    intents: tuple[str, ...]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]

    def probabilities(self, vector: Vectors) -> dict[str, float]:
        """Calibrated, by intent, of a sentence's ``float32[d]``; they are independent of each other."""
        logits = self.weights @ vector + self.biases
        return dict(zip(self.intents, (1 / (1 + np.exp(-logits))).tolist(), strict=True))


class IntentClassifier:
    """Classifies what users say. ``None`` comes of an embedder the heads were not trained on: nothing is known then."""

    def __init__(self, embedder: Embedder, heads: IntentHeads) -> None:
        self._embedder = embedder
        self._heads = heads

    async def probabilities(self, texts: Sequence[str]) -> list[Mapping[str, float]] | None:
        """For each of ``texts``, how likely it has each ``Intent``. Raises ``EngineError``."""
        if self._embedder.name != self._heads.network:
            return None
        vectors = await self._embedder.embed(texts, EmbedOptions(query=True))
        return [self._heads.probabilities(vector) for vector in vectors]


def load_heads(path: Path = HEADS) -> IntentHeads:
    """The heads of the package: an ``.npz`` of plain arrays."""
    with np.load(path, allow_pickle=False) as file:
        return IntentHeads(
            network=str(file["network"]),
            intents=tuple(str(intent) for intent in file["intents"]),
            weights=file["weights"].astype(np.float32),
            biases=file["biases"].astype(np.float32),
        )
