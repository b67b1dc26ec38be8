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
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np
from pydantic import Field, SecretStr

from vivavoce.engines.base import EngineContext, needs_weights
from vivavoce.engines.settings import EngineSettings
from vivavoce.errors import EngineError
from vivavoce.types import EmbedOptions, Vectors

ENGINE = "openai embeddings"
RETRIABLE_STATUS = 429


class Settings(EngineSettings):
    """Where the endpoint is and what it is told.

    ``dimensions`` is the length of its vectors; ``send_dimensions`` asks for that length, where a model has several.
    ``query_prefix`` and ``passage_prefix`` are put before texts, as some models were trained. ``batch`` texts go in one
    request, ``parallel`` requests for passages at once at most.
    """

    url: str = Field(pattern=r"^https?://")
    model: str
    dimensions: int = Field(ge=8, le=8192)
    send_dimensions: bool = False
    key: SecretStr | None = None
    query_prefix: str = ""
    passage_prefix: str = ""
    batch: int = Field(default=32, ge=1, le=2048)
    parallel: int = Field(default=2, ge=1)
    timeout_s: float = Field(default=30.0, gt=0)


class OpenAIEmbedder:
    """Vectors over HTTP, one client for all; texts go out in batches."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient) -> None:
        self.name = f"{settings.model}@{settings.dimensions}"
        self.dimensions = settings.dimensions
        self._settings = settings
        self._client = client
        self._room = asyncio.Semaphore(settings.parallel)

    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """See ``Embedder``. What somebody waits for goes out at once, the rest as there is room."""
        prefix = self._settings.query_prefix if options.query else self._settings.passage_prefix
        prefixed = [prefix + text for text in texts]
        rows = [np.empty((0, self.dimensions), np.float32)]
        for start in range(0, len(prefixed), self._settings.batch):
            batch = prefixed[start : start + self._settings.batch]
            if options.query or options.awaited:
                rows.append(await self._ask(batch))
            else:
                async with self._room:
                    rows.append(await self._ask(batch))
        return np.concatenate(rows)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def _ask(self, texts: list[str]) -> Vectors:
        body: dict[str, Any] = {"model": self._settings.model, "input": texts, "encoding_format": "float"}
        if self._settings.send_dimensions:
            body["dimensions"] = self.dimensions
        try:
            response = await self._client.post("embeddings", json=body)
        except httpx.HTTPError as error:
            raise EngineError(ENGINE, f"cannot be reached: {error or type(error).__name__}", retriable=True) from error
        if response.is_error:
            status = response.status_code
            raise EngineError(ENGINE, f"answered {status}", retriable=status >= 500 or status == RETRIABLE_STATUS)
        return self._vectors(response, len(texts))

    def _vectors(self, response: httpx.Response, count: int) -> Vectors:
        try:
            data = sorted(response.json()["data"], key=lambda row: int(row["index"]))
            vectors = np.array([row["embedding"] for row in data], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise EngineError(ENGINE, "answered something that is no list of embeddings") from error
        if vectors.shape != (count, self.dimensions):
            raise EngineError(ENGINE, f"gave {list(vectors.shape)} numbers instead of {[count, self.dimensions]}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise EngineError(ENGINE, "gave a vector without a direction")
        unit: Vectors = vectors / lengths
        return unit


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    Settings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> OpenAIEmbedder:
    """Entry point; asks nothing yet. Raises ``pydantic.ValidationError`` for settings that do not fit."""
    settings = Settings.model_validate(context.settings)
    headers = {"Authorization": f"Bearer {settings.key.get_secret_value()}"} if settings.key else {}
    client = httpx.AsyncClient(base_url=settings.url, headers=headers, timeout=settings.timeout_s)
    return OpenAIEmbedder(settings, client)
