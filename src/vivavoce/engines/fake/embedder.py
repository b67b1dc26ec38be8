"""Embeddings that count words."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import Embedder
from vivavoce.engines.fake.failure import FAILURE
from vivavoce.errors import EngineError
from vivavoce.types import EmbedOptions, Vectors

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


class FakeEmbedder(Embedder):
    """Counts words, each at a place its checksum chooses: texts that share words point the same way."""

    name = "fake"
    dimensions = 256

    @override
    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """Questions and passages alike; a text without words points nowhere in particular."""
        await asyncio.sleep(0)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            if FAILURE in text:
                raise EngineError("fake", "failed because it was asked to")
            for word in _WORD.findall(text.lower()) or [""]:
                vector[zlib.crc32(word.encode()) % self.dimensions] += 1
            vector /= np.linalg.norm(vector)
        return vectors

    @override
    def close(self) -> None:
        pass
