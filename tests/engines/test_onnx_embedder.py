"""Embedders as they are published, on tiny weights: the tokenizer and the network are real, the network is not trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from pydantic import ValidationError
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from engines.sherpa.tiny import save
from vivavoce.engines.base import EngineContext
from vivavoce.engines.onnx_embedder import OnnxEmbedder, load
from vivavoce.errors import EngineError
from vivavoce.types import EmbedOptions

VOCABULARY = {"<s>": 0, "<pad>": 1, "</s>": 2, "red": 3, "cat": 4, "battery": 5, "query": 6, "<unk>": 7}
SIZE = 6
QUESTION, PASSAGE = EmbedOptions(query=True), EmbedOptions()

TABLE = np.random.default_rng(3).standard_normal((len(VOCABULARY), SIZE)).astype(np.float32)


def tokenizer(folder: Path) -> None:
    words = Tokenizer(WordLevel(VOCABULARY, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    words.enable_padding(pad_id=1, pad_token="<pad>", length=64)  # as some are published: it is switched off
    words.save(str(folder / "tokenizer.json"))


def make_embedder(
    folder: Path, *, whole: bool = False, scale: float = 1.0, more: Mapping[str, int] | None = None
) -> Path:
    """Each token is its row of the table, and the first is the mean of all, as far as the mask goes. ``whole``: only that."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer(folder)
    real, number = TensorProto.FLOAT, TensorProto.INT64
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"], axis=0),
        helper.make_node("Cast", ["attention_mask"], ["seen"], to=real),
        helper.make_node("Unsqueeze", ["seen", "last"], ["weights"]),
        helper.make_node("Mul", ["rows", "weights"], ["heard"]),
        helper.make_node("ReduceSum", ["heard", "along"], ["sum"], keepdims=1),
        helper.make_node("ReduceSum", ["weights", "along"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
    ]
    values: dict[str, NDArray[Any]] = {
        "table": TABLE * np.float32(scale), "last": np.array([2]), "along": np.array([1]), "one": np.array([1]),
        "end": np.array([10_000]),
    }  # fmt: skip
    shape: list[Any] = ["n", SIZE] if whole else ["n", "t", SIZE]
    if whole:
        nodes.append(helper.make_node("Squeeze", ["mean", "along"], ["sentence_embedding"]))
    else:
        nodes.append(helper.make_node("Slice", ["rows", "one", "end", "along"], ["others"]))
        nodes.append(helper.make_node("Concat", ["mean", "others"], ["last_hidden_state"], axis=1))
    inputs = [
        (name, kind, ["n", "t"])
        for name, kind in {"input_ids": number, "attention_mask": number, **(more or {})}.items()
    ]
    save(folder / "model_int8.onnx", nodes, inputs, [(nodes[-1].output[0], real, shape)], values)
    return folder


@contextmanager
def loaded(folder: Path, **settings: Any) -> Iterator[OnnxEmbedder]:
    values = {"weights": str(folder), **settings}
    embedder = load(EngineContext(weights=Path, threads=1, capacity=1, settings=values))
    try:
        yield embedder
    finally:
        embedder.close()


def expected(*tokens: str) -> NDArray[np.float32]:
    vector = TABLE[[VOCABULARY[token] for token in ("<s>", *tokens, "</s>")]].mean(axis=0)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@pytest.mark.parametrize("whole", [False, True])
async def test_vectors_are_those_of_the_network(tmp_path: Path, whole: bool) -> None:
    with loaded(make_embedder(tmp_path / "bge", whole=whole), query_prefix="query ") as embedder:
        assert (embedder.name, embedder.dimensions) == ("bge", SIZE)
        vectors = await embedder.embed(["red cat", "battery", "red red red red cat"], PASSAGE)
        assert np.allclose(vectors[0], expected("red", "cat"), atol=1e-5)
        assert np.allclose(vectors[1], expected("battery"), atol=1e-5)  # padded in its batch, and not seen in it
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        asked = await embedder.embed(["red cat"], QUESTION)
        assert np.allclose(asked[0], expected("query", "red", "cat"), atol=1e-5)
        assert (await embedder.embed([], QUESTION)).shape == (0, SIZE)


async def test_what_stands_for_a_text_can_be_the_mean_of_its_tokens(tmp_path: Path) -> None:
    with loaded(make_embedder(tmp_path), pooling="mean") as embedder:
        alone = await embedder.embed(["red cat"], PASSAGE)
        beside = await embedder.embed(["red cat", "red battery cat red"], PASSAGE)
        assert np.allclose(alone[0], beside[0], atol=1e-5)
        assert not np.allclose(alone[0], expected("red", "cat"), atol=1e-3)


async def test_long_texts_are_cut(tmp_path: Path) -> None:
    with loaded(make_embedder(tmp_path), most_tokens=8) as embedder:
        long, cut = await embedder.embed(["red " * 500, "red " * 6], PASSAGE)
        assert np.allclose(long, cut, atol=1e-6)


async def test_closed_and_zero(tmp_path: Path) -> None:
    with loaded(make_embedder(tmp_path / "a")) as embedder:
        embedder.close()
        with pytest.raises(EngineError, match="onnx: embedding failed"):
            await embedder.embed(["red"], QUESTION)
    with (
        pytest.raises(EngineError, match="onnx: the network gave a vector of length zero"),
        loaded(make_embedder(tmp_path / "b", scale=0.0)),
    ):
        pass


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    def refused(folder: Path, message: str) -> None:
        with pytest.raises(EngineError, match=message), loaded(folder):
            pass

    refused(tmp_path, r"exactly one \.onnx file, it holds 0")
    make_embedder(tmp_path / "a", more={"pixel_values": TensorProto.FLOAT})
    refused(tmp_path / "a", "the network wants pixel_values")
    (make_embedder(tmp_path / "b") / "tokenizer.json").write_text("{}")
    refused(tmp_path / "b", "cannot open the model")
    (make_embedder(tmp_path / "c") / "other.onnx").write_bytes(b"")
    refused(tmp_path / "c", "it holds 2")
    (tmp_path / "c" / "other.onnx").unlink()
    (tmp_path / "c" / "model_int8.onnx").write_bytes(b"no network")
    refused(tmp_path / "c", "cannot open the model")


def test_its_weights() -> None:
    assert list(load.weights({})) == ["bge-m3"]
    assert list(load.weights({"weights": "/models/mine"})) == ["/models/mine"]
    with pytest.raises(ValidationError, match="pooling"):
        load.weights({"pooling": "last"})
