"""An embedder of one's own as it is published: a network in ONNX beside its ``tokenizer.json``, such as BGE-M3.

[engines]
embedder = "onnx"

[engines.settings.onnx]
weights = "bge-m3"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from tokenizers import Tokenizer
from typing_extensions import override

from vivavoce.engines.base import Embedder, EngineContext, needs_weights
from vivavoce.engines.embedding_threads import EmbeddingThreads
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.settings import EngineSettings
from vivavoce.errors import EngineError
from vivavoce.types import EmbedOptions, Vectors

ENGINE = "onnx"
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


class OnnxEmbedderSettings(EngineSettings):
    """``engines.settings.onnx``.

    ``weights`` is a name of the catalogue, or the path of a folder with one ``.onnx`` file and a ``tokenizer.json``.
    ``pooling``: what stands for a text, its first token or the mean of all; a network that makes one vector itself needs none.
    ``query_prefix`` and ``passage_prefix`` are put before texts, as some models were trained. A text is cut at ``most_tokens``:
    the time for one grows with them. ``threads`` is what one text may take of the processor.
    """

    weights: str = "bge-m3"
    pooling: Literal["first", "mean"] = "first"
    query_prefix: str = ""
    passage_prefix: str = ""
    most_tokens: int = Field(default=1024, ge=8, le=32_768)
    threads: int = Field(default=1, ge=1)


class OnnxEmbedder(Embedder):
    """``name`` is that of the weights, so that vectors of different ones are never compared."""

    def __init__(self, session: Any, tokenizer: Tokenizer, settings: OnnxEmbedderSettings) -> None:
        tokenizer.enable_truncation(settings.most_tokens)
        tokenizer.no_padding()
        self.name = Path(settings.weights).name
        self._settings = settings
        self._session = session
        self._tokenizer = tokenizer
        paddings = (tokenizer.token_to_id(token) for token in ("<pad>", "[PAD]"))
        self._padding = next((number for number in paddings if number is not None), 0)
        self._inputs = [one.name for one in session.get_inputs()]
        self.dimensions = self._run([self._ids("a", prefix="")]).shape[1]
        self._threads = EmbeddingThreads(ENGINE, self.dimensions, self._run)

    @override
    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        """A text beyond ``most_tokens`` is cut there. Cancelling stops after the batch under way."""
        prefix = self._settings.query_prefix if options.query else self._settings.passage_prefix
        return await self._threads.vectors([self._ids(text, prefix) for text in texts], options)

    @override
    def close(self) -> None:
        """Drop what is queued and stop the threads after the calls under way. Idempotent."""
        self._threads.close()

    def _ids(self, text: str, prefix: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(prefix + text).ids
        return ids or [self._padding]

    def _run(self, texts: list[list[int]]) -> Vectors:
        longest = max(map(len, texts))
        ids = np.full((len(texts), longest), self._padding, np.int64)
        mask = np.zeros((len(texts), longest), np.int64)
        for number, text in enumerate(texts):
            ids[number, : len(text)] = text
            mask[number, : len(text)] = 1
        values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        outputs = self._session.run(None, {name: values[name] for name in self._inputs})
        vectors = _pooled(outputs, mask, self._settings.pooling)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise EngineError(ENGINE, "the network gave a vector of length zero")
        unit: Vectors = vectors / lengths
        return unit


def _pooled(outputs: Sequence[NDArray[np.floating]], mask: NDArray[np.int64], pooling: str) -> NDArray[np.float32]:
    """One vector a text: the network's own, or what its last layer says of the tokens. Raises ``EngineError``."""
    whole = next((output for output in outputs if output.ndim == 2), None)
    if whole is not None:
        return np.asarray(whole, np.float32)
    tokens = next((output for output in outputs if output.ndim == 3), None)
    if tokens is None:
        raise EngineError(ENGINE, "the network gives neither vectors of texts nor of tokens")
    if pooling == "first":
        return np.asarray(tokens[:, 0], np.float32)
    weights = mask[..., None].astype(np.float32)
    return np.asarray((tokens * weights).sum(axis=1) / weights.sum(axis=1), np.float32)


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    return (OnnxEmbedderSettings.model_validate(settings).weights,)


@needs_weights(_weights)
def load(context: EngineContext) -> OnnxEmbedder:
    """Entry point: the embedder, warm.

    Raises ``WeightsError``, and ``EngineError`` for files that are not as they should be.
    """
    settings = OnnxEmbedderSettings.model_validate(context.settings)
    folder = context.weights(settings.weights)
    networks = sorted(folder.glob("*.onnx"))
    if len(networks) != 1:
        raise EngineError(ENGINE, f"{folder} must hold exactly one .onnx file, it holds {len(networks)}")
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        session = cpu_session(networks[0], threads=settings.threads, memory_patterns=False)
        unknown = {one.name for one in session.get_inputs()} - INPUTS
        if unknown:
            raise EngineError(ENGINE, f"the network wants {', '.join(sorted(unknown))}, which a text has not")
        return OnnxEmbedder(session, tokenizer, settings)
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(ENGINE, f"cannot open the model in {folder}: {error}") from error
