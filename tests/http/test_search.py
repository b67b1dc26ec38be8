"""``POST /v1/search`` over real sockets, against a search service of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from net.pages import served
from running import RunningServer, running
from tools.web_search.providing import Searxng
from vivavoce.config import load_config


@pytest.fixture(scope="module")
def found() -> Iterator[tuple[Searxng, RunningServer]]:
    searxng = Searxng()
    with served(searxng) as port:
        table = {"provider": "searxng", "url": f"http://127.0.0.1:{port}", "cache_s": 0}
        flags = {"web_search": table, "net": {"allow_private": True}, "auth": {"keys": {"me": "a-long-random-text"}}}
        with running(load_config(flags, profile="fake")) as server:
            page = b"<html><body><article>" + b"<p>The ferry ticket costs 4.20 crowns from December.</p>" * 9
            searxng.put("/news", page, content_type="text/html")
            searxng.find(
                f"http://127.0.0.1:{port}/news", "The <b>ferry</b>", "A snippet.", publishedDate="2026-11-20T00:00:00"
            )
            searxng.find("http://nowhere.invalid/", "Other", "")
            yield searxng, server


def ask(server: RunningServer, body: Any, key: str = "a-long-random-text") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{server.http}/v1/search", json=body, headers=headers, timeout=60)


def test_what_was_found(found: tuple[Searxng, RunningServer]) -> None:
    answer = ask(found[1], {"query": "渡轮 ticket", "category": "research"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["query"], body["n"], len(body["results"])) == ("渡轮 ticket", 10, 2)
    first, second = body["results"]
    assert list(first) == ["url", "position", "title", "time", "snippet", "content"]
    assert (first["position"], first["title"], first["time"]) == (1, "The ferry", "2026-11-20")
    assert "4.20 crowns" in first["content"]
    assert (second["position"], second["content"]) == (2, "")
    assert found[0].queries[-1]["language"] == "zh"
    assert len(ask(found[1], {"query": "x", "n": 1}).json()["results"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"query": ""},
        {"query": " "},
        {"query": "\u200b\x07\ue000"},
        {"query": "<b></b>"},
        {"query": "x", "n": 0},
        {"query": "x", "n": 21},
        {"query": "x", "category": "y"},
    ],
)
def test_mistakes_are_refused(found: tuple[Searxng, RunningServer], body: Any) -> None:
    answer = ask(found[1], body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_it_needs_a_key(found: tuple[Searxng, RunningServer]) -> None:
    assert ask(found[1], {"query": "x"}, "wrong-key").status_code == 401


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(500, b"", 503), (429, b"", 503), (401, b"", 502), (200, b"<html>hotel</html>", 502)],
)
def test_a_provider_that_fails(found: tuple[Searxng, RunningServer], status: int, body: bytes, code: int) -> None:
    searxng, server = found
    searxng.put("/search", body, status=status)
    try:
        answer = ask(server, {"query": "swordfish"})
    finally:
        del searxng.places["/search"]
    assert answer.status_code == code
    error = answer.json()["error"]
    assert error["code"] == ("search_unavailable" if code == 503 else "search_failed")
    assert "swordfish" not in error["message"]
