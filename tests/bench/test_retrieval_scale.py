"""The retrieval bench among many passages and with many files, made small."""

from __future__ import annotations

from pathlib import Path

import pytest
from retrieval_corpus import pages, questions
from retrieval_report import speed
from retrieval_scale import measure
from retrieval_small_files import read_many

from postgres import Postgres
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeEmbedder


@pytest.mark.parametrize("kind", ["embedded", "postgresql", "pgvector"])
async def test_search_among_many_passages_is_measured(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = None
    if kind != "embedded":
        server: Postgres = request.getfixturevalue("postgres" if kind == "postgresql" else "pgvector")
        url = server.new_database("plain" if kind == "postgresql" else "vivavoce")
    texts, asked, added = [page.text for page in pages()], [one.ask for one in questions()][:12], list[int]()
    measured = await measure(tmp_path, FakeEmbedder(), texts, asked, 1500, added.append, url)
    assert sum(added) == 1500
    figures = speed(measured)
    assert figures["passages"] == 1500
    assert figures["search_p50_ms"] >= figures["index_p50_ms"] > 0
    # So few are all looked at; PostgreSQL without pgvector looks at the likely ones of 1500.
    assert figures["nearest_ten_found"] > (0.95 if kind != "postgresql" else 0.8)


async def test_many_small_files_are_read_while_somebody_else_searches(tmp_path: Path) -> None:
    told = await read_many(load_config(profile="fake"), tmp_path, FakeEmbedder(), 30)
    assert told["files"] == 30
    assert told["seconds"] > 0
    assert 0 < told["search_meanwhile_p50_ms"] <= told["search_meanwhile_p95_ms"]
