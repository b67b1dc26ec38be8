"""Any OpenAI-style ``/embeddings`` endpoint as the embedder: a bigger model, or one that runs elsewhere.

[engines]
embedder = "openai"

[engines.settings.openai]
url = "http://127.0.0.1:8000/v1"
model = "BAAI/bge-m3"
dimensions = 1024
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np
from pydantic import Field
from typing_extensions import override

from vivavoce.engines.base import Embedder, EngineContext, needs_weights
from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.settings import RemoteSettings
from vivavoce.errors import EngineError
from vivavoce.types import EmbedOptions, Vectors

MAX_BYTES = 256 * 1024 * 1024
"""Of an answer: 2048 vectors of 8192 numbers, written out."""


class EmbedderSettings(RemoteSettings):
    """Settings of an embedder elsewhere, beside those of its connection.

    ``dimensions`` is the length of its vectors; ``send_dimensions`` asks for that length, where a model has several.
    ``query_prefix`` and ``passage_prefix`` are put before texts, as some models were trained. ``batch`` texts go in one
    request, ``parallel`` requests for passages at once at most.
    """

    dimensions: int = Field(ge=8, le=8192)
    send_dimensions: bool = False
    query_prefix: str = ""
    passage_prefix: str = ""
    batch: int = Field(default=32, ge=1, le=2048)
    parallel: int = Field(default=2, ge=1)


class OpenAIEmbedder(Embedder):
    """Vectors over HTTP, one client for all; texts go out in batches."""

    def __init__(self, settings: EmbedderSettings, client: RemoteClient) -> None:
        self.name = f"{settings.model}@{settings.dimensions}"
        self.dimensions = settings.dimensions
        self._settings = settings
        self._client = client
        self._room = asyncio.Semaphore(settings.parallel)

    @override
    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """What somebody waits for goes out at once, the rest as there is room."""
        prefix = self._settings.query_prefix if options.query else self._settings.passage_prefix
        prefixed = [prefix + text for text in texts]
        rows = [np.empty((0, self.dimensions), np.float32)]
        for start in range(0, len(prefixed), self._settings.batch):
            batch = prefixed[start : start + self._settings.batch]
            if options.query or options.interactive:
                rows.append(await self._ask(batch))
            else:
                async with self._room:
                    rows.append(await self._ask(batch))
        return np.concatenate(rows)

    async def health(self) -> str | None:
        """Why the other side cannot be used now; ``None``: it answers."""
        return await self._client.health()

    @override
    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def _ask(self, texts: list[str]) -> Vectors:
        body: dict[str, Any] = {"model": self._settings.model, "input": texts, "encoding_format": "float"}
        if self._settings.send_dimensions:
            body["dimensions"] = self.dimensions
        async with aclosing(self._client.retried(lambda: self._attempt(body, len(texts)))) as answers:
            return await anext(answers)

    async def _attempt(self, body: Mapping[str, Any], count: int) -> AsyncGenerator[Vectors, None]:
        async with self._client.post("embeddings", json=body) as answer:
            yield self._vectors(await answer.body(MAX_BYTES), count)

    def _vectors(self, body: bytes, count: int) -> Vectors:
        engine = self._client.engine
        try:
            data = sorted(json.loads(body)["data"], key=lambda row: int(row["index"]))
            vectors = np.array([row["embedding"] for row in data], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise EngineError(engine, "answered something that is no list of embeddings") from error
        if vectors.shape != (count, self.dimensions):
            raise EngineError(engine, f"gave {list(vectors.shape)} numbers instead of {[count, self.dimensions]}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise EngineError(engine, "returned a vector of length zero")
        unit: Vectors = vectors / lengths
        return unit


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    EmbedderSettings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> OpenAIEmbedder:
    """Entry point; asks nothing yet. Raises ``pydantic.ValidationError``."""
    settings = EmbedderSettings.model_validate(context.settings)
    return OpenAIEmbedder(settings, RemoteClient(context.name or "openai", settings))
