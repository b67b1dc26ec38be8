"""Texts of any length → vectors, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.fake import FakeEmbedder
from vivavoce.errors import EngineError
from vivavoce.knowledge.lengths import weight_of
from vivavoce.runtime.embedding import AT_ONCE, PIECE_TOKENS, TextEmbedding, pieces
from vivavoce.types import EmbedOptions, Vectors


class Counting(FakeEmbedder):
    """Remembers how much it was handed at once, and by how many at the same time."""

    def __init__(self) -> None:
        self.handed: list[int] = []
        self.options: set[EmbedOptions] = set()
        self.working = 0
        self.most_working = 0

    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        self.handed.append(len(texts))
        self.options.add(options)
        self.working += 1
        self.most_working = max(self.most_working, self.working)
        try:
            return await super().embed(texts, options)
        finally:
            self.working -= 1


@given(st.text(st.sampled_from("ab .,\n\u3000汉字かなé한🦉")).map(lambda text: text * 60))
def test_pieces_are_short_and_join_to_the_text(text: str) -> None:
    cut = pieces(text, 20)
    assert "".join(cut) == text
    assert all(
        weight_of(piece) <= 20 + 32 for piece in cut
    )  # one unit of a piece may be long: 64 characters and blanks


def test_a_short_text_is_one_piece() -> None:
    assert pieces("One sentence.") == ["One sentence."]
    assert pieces("") == [""]


async def test_every_text_has_a_direction_of_its_own() -> None:
    texts = ["the ferry", "the fox", "the ferry"]
    vectors = await TextEmbedding().vectors(FakeEmbedder(), texts, query=True, owner="me")
    assert vectors.shape == (3, 256)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1])


async def test_the_end_of_a_long_text_counts_as_its_beginning() -> None:
    long = "ferry " * 2000 + "fox " * 2000
    vectors = await TextEmbedding().vectors(FakeEmbedder(), [long, "ferry", "fox", "owl"], query=False, owner="me")
    ferry, fox, owl = vectors[0] @ vectors[1:].T
    assert np.linalg.norm(vectors[0]) == pytest.approx(1)
    assert ferry > 0.5
    assert fox > 0.5
    assert owl < 0.1


async def test_work_is_handed_over_in_small_parts_and_one_at_a_time() -> None:
    embedder, embedding = Counting(), TextEmbedding()
    texts = [f"text {number}" for number in range(AT_ONCE * 2 + 1)]
    await asyncio.gather(*(embedding.vectors(embedder, texts, query=True, owner="me") for _ in range(3)))
    assert max(embedder.handed) == AT_ONCE
    assert sum(embedder.handed) == 3 * len(texts)
    assert embedder.most_working == 1
    assert embedder.options == {EmbedOptions(query=True, interactive=True)}


async def test_a_failure_lets_the_next_one_in() -> None:
    embedding = TextEmbedding()
    with pytest.raises(EngineError):
        await embedding.vectors(FakeEmbedder(), ["please fail"], query=True, owner="me")
    assert len(await embedding.vectors(FakeEmbedder(), ["go on"], query=True, owner="me")) == 1


def test_a_piece_fits_into_the_built_in_embedder() -> None:
    assert PIECE_TOKENS < 510
