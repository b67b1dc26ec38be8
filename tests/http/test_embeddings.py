"""``POST /v1/embeddings``: forms of input, formats, limits, refusals, and whose tokens they are."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import numpy as np
import pytest
from openai import OpenAI

from running import RunningServer, holding, running
from vivavoce.config import load_config

URL = "/v1/embeddings"


def embed(server: RunningServer, **body: Any) -> httpx.Response:
    return httpx.post(server.http + URL, json={"model": "text-embedding-3-small", **body}, timeout=60)


def refused(answer: httpx.Response) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"]


@pytest.fixture
def client(server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.http}/v1", api_key="unused", max_retries=0) as opened:
        yield opened


def test_openai_python_has_floats_whatever_it_asks_for(client: OpenAI) -> None:
    """By default it asks for base64, and makes floats of it."""
    texts = ["The ferry leaves at nine.", "A fox sleeps.", "The ferry leaves when?"]
    by_default = client.embeddings.create(model="text-embedding-3-small", input=texts)
    as_floats = client.embeddings.create(model="text-embedding-ada-002", input=texts, encoding_format="float")
    assert [one.index for one in by_default.data] == [0, 1, 2]
    assert [one.embedding for one in by_default.data] == [one.embedding for one in as_floats.data]
    assert (by_default.model, as_floats.model) == ("text-embedding-3-small", "text-embedding-ada-002")
    assert by_default.usage.prompt_tokens == by_default.usage.total_tokens > 0
    vectors = np.array([one.embedding for one in by_default.data])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1]


def test_one_text_is_a_list_of_one(server: RunningServer) -> None:
    answer = embed(server, input="Hello there")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["object"], body["data"][0]["object"], len(body["data"])) == ("list", "embedding", 1)
    assert body["data"] == embed(server, input=["Hello there"]).json()["data"]


def test_base64_is_little_endian_floats_of_32_bits(server: RunningServer) -> None:
    written = embed(server, input="Hello there", encoding_format="base64").json()["data"][0]["embedding"]
    numbers = embed(server, input="Hello there", encoding_format="float").json()["data"][0]["embedding"]
    assert np.frombuffer(base64.b64decode(written), "<f4").tolist() == numbers


def test_dimensions_are_what_they_are(server: RunningServer) -> None:
    assert len(embed(server, input="x", dimensions=256).json()["data"][0]["embedding"]) == 256
    answer = embed(server, input="x", dimensions=512)
    assert refused(answer) == (400, "unsupported_value", "dimensions")
    assert "256" in answer.json()["error"]["message"]


def test_a_text_longer_than_the_model_reads_is_not_cut(server: RunningServer) -> None:
    vectors = [one["embedding"] for one in embed(server, input=["ferry " * 3000 + "fox " * 3000, "fox"]).json()["data"]]
    assert np.array(vectors[0]) @ vectors[1] > 0.5


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, (400, "missing_required_parameter", "input")),
        ({"input": []}, (400, "invalid_value", "input")),
        ({"input": ""}, (400, "invalid_value", "input")),
        ({"input": ["a", ""]}, (400, "invalid_value", "input[1]")),
        ({"input": ["a", 1]}, (400, "invalid_value", "input[1]")),
        ({"input": ["x"] * 2049}, (400, "invalid_value", "input")),
        ({"input": [15339, 1917]}, (400, "unsupported_value", "input")),
        ({"input": [[15339, 1917], [15339]]}, (400, "unsupported_value", "input")),
        ({"input": {"text": "x"}}, (400, "invalid_value", "input")),
        ({"input": "word " * 10_000}, (400, "context_length_exceeded", "input")),
        ({"input": ["x", "word " * 10_000]}, (400, "context_length_exceeded", "input[1]")),
        ({"input": ["word " * 4_000] * 80}, (400, "context_length_exceeded", "input")),
        ({"input": "x", "encoding_format": "int8"}, (400, "invalid_value", "encoding_format")),
        ({"input": "x", "dimensions": 0}, (400, "invalid_value", "dimensions")),
        ({"input": "x", "input_type": "song"}, (400, "invalid_value", "input_type")),
        ({"input": "x", "model": "gpt-4o"}, (404, "model_not_found", "model")),
        ({"input": "please fail"}, (500, "engine_error", None)),
    ],
)
def test_mistakes_are_named(server: RunningServer, body: dict[str, Any], told: tuple[int, str, str | None]) -> None:
    assert refused(embed(server, **body)) == told


@pytest.mark.parametrize("kind", ["query", "passage", "search_document", None])
def test_questions_and_passages_may_be_told_apart(server: RunningServer, kind: str | None) -> None:
    assert embed(server, input="x", input_type=kind).status_code == 200


def test_it_takes_a_place_for_requests(server: RunningServer) -> None:
    with ExitStack() as taken:
        places = server.core.request_slots
        while places.taken < places.capacity:
            taken.enter_context(holding(places))
        answer = embed(server, input="x")
    assert refused(answer) == (429, "rate_limit_exceeded", None)
    assert embed(server, input="x").status_code == 200


def test_a_key_is_needed() -> None:
    with running(load_config({"auth": {"keys": {"alice": "alice-secret-1"}}}, profile="fake")) as locked:
        assert embed(locked, input="x").status_code == 401
